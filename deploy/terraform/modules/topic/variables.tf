variable "env" {
  description = "The environment: prod, staging."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.env))
    error_message = "An environment's name has 2 to 32 lower case letters, digits and hyphens and begins with a letter, like prod: parameters and tags carry it."
  }
}

variable "service" {
  description = "The service that owns the contract and its topic."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]*[a-z0-9])?$", var.service)) && var.service != "all"
    error_message = "A service's name has lower case letters, digits and hyphens and begins with a letter, and is not \"all\", the audience of changes that are for everybody: queues and filters are named after it."
  }
}

variable "name_prefix" {
  description = "Put before every name, where one account has several environments."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{0,32}$", var.name_prefix))
    error_message = "A prefix has up to 32 letters, digits, underscores and hyphens."
  }
}

variable "publication" {
  description = "One entry of the manifest's publishes, and the contract's attributes."
  type = object({
    contract = string
    # By default the contract's id with a hyphen for every character but letters
    # and digits: company-profile-v1.
    topic = optional(string)
    # Every attribute of the contract; subscribers are checked against it.
    attributes = list(string)
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)*/v[1-9][0-9]*$", var.publication.contract))
    error_message = "A contract is named by its id with its major version, like company.profile/v1: subscribers look for exactly that."
  }

  validation {
    condition     = !startswith(coalesce(var.publication.topic, "-"), "arn:")
    error_message = "The topic is given by its ARN, which ties the manifest to one account and Region. Write its name, the ARN's last part."
  }

  validation {
    condition     = var.publication.topic == null ? true : can(regex("^[A-Za-z0-9_-]{1,256}$", var.publication.topic))
    error_message = "SNS takes no such name for a standard topic. Use 1 to 256 letters, digits, underscores and hyphens; order needs no FIFO topic, versions see to it."
  }

  validation {
    condition     = length(var.publication.attributes) > 0 && length(distinct(var.publication.attributes)) == length(var.publication.attributes)
    error_message = "List the contract's attributes, each once: without them no subscriber could be told what the contract lacks."
  }

  validation {
    condition     = alltrue([for name in var.publication.attributes : length(name) >= 1 && length(name) <= 255])
    error_message = "An attribute's name has 1 to 255 bytes."
  }
}

variable "publisher_role_arn" {
  description = "The role of the relay: together with operator_role_arns, all that may publish."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[^*?]+$", var.publisher_role_arn))
    error_message = "The publisher is a role, given by its ARN (arn:aws:iam::<account>:role/<name>), without wildcards: whoever publishes decides what every subscriber's copies hold."
  }
}

variable "operator_role_arns" {
  description = <<-EOT
    Roles of people and jobs that run replicactl backfill, replay or reconcile
    --repair, which publish to the topic; in this account or in subscribers'.
  EOT
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.operator_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[^*?]+$", arn))])
    error_message = "An operator is a role, given by its ARN (arn:aws:iam::<account>:role/<name>), without wildcards; a role of IAM Identity Center has its path in it. Sessions of a role count as the role."
  }
}

variable "subscriber_accounts" {
  description = "Other accounts whose queues may subscribe. This account's always may."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for a in var.subscriber_accounts : can(regex("^[0-9]{12}$", a))])
    error_message = "An account is its number of twelve digits, in quotes: a wildcard would let anybody read every change."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that alarms go to, and their recovery."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "tags" {
  description = "Tags of everything the module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
