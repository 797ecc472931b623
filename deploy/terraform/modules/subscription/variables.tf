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
  description = "The service that subscribes, and the audience of what is sent to it alone."
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

variable "subscription" {
  description = <<-EOT
    One entry of the manifest's subscribes. What is left out has the defaults of
    the manifest; durations are written as there: 30s, 1m30s, 12h.
  EOT
  type = object({
    contract   = string
    topic      = optional(string) # the contract's id, with hyphens
    attributes = list(string)
    queue = optional(object({
      name               = optional(string) # <service>-<topic>
      dead_letter_queue  = optional(string) # <name>-dlq
      visibility_timeout = optional(string, "30s")
      handler_timeout    = optional(string) # two thirds of the visibility timeout
      max_receive_count  = optional(number, 10)
    }), {})
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)*/v[1-9][0-9]*$", var.subscription.contract))
    error_message = "A contract is named by its id with its major version, like company.profile/v1."
  }

  validation {
    condition     = alltrue([for name in [var.subscription.topic, var.subscription.queue.name, var.subscription.queue.dead_letter_queue] : !startswith(coalesce(name, "-"), "arn:")])
    error_message = "A topic or queue is given by its ARN, which ties the manifest to one account and Region. Write the name, the ARN's last part; a topic of another account is given by topic_parameter_arn."
  }

  validation {
    condition     = var.subscription.topic == null ? true : can(regex("^[A-Za-z0-9_-]{1,256}$", var.subscription.topic))
    error_message = "SNS takes no such name for a standard topic. Use 1 to 256 letters, digits, underscores and hyphens; order needs no FIFO topic, versions see to it."
  }

  validation {
    condition     = alltrue([for name in [var.subscription.queue.name, var.subscription.queue.dead_letter_queue] : name == null ? true : can(regex("^[A-Za-z0-9_-]{1,80}$", name))])
    error_message = "SQS takes no such name for a standard queue. Use 1 to 80 letters, digits, underscores and hyphens; order needs no FIFO queue, versions see to it."
  }

  validation {
    condition     = length(var.subscription.attributes) > 0
    error_message = "No attribute is subscribed to, so the filter policy would let nothing through. List the contract's attributes that the service copies, like [name, sector]."
  }

  validation {
    condition     = length(var.subscription.attributes) <= 75
    error_message = "More than 75 attributes, with the two audiences, are more than the 150 combinations that an SNS filter policy takes. Subscribe to fewer, or split the contract."
  }

  validation {
    condition     = length(distinct(var.subscription.attributes)) == length(var.subscription.attributes) && alltrue([for name in var.subscription.attributes : length(name) >= 1 && length(name) <= 255])
    error_message = "An attribute is listed once, by its name of 1 to 255 bytes."
  }

  validation {
    condition     = alltrue([for d in [var.subscription.queue.visibility_timeout, var.subscription.queue.handler_timeout] : d == null ? true : can(regex("^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$", d))])
    error_message = "A duration is a number and its unit, like 30s, 1m30s or 12h. A bare number would be read as seconds by one reader and as nanoseconds by another."
  }

  validation {
    condition     = var.subscription.queue.max_receive_count >= 1 && var.subscription.queue.max_receive_count <= 1000 && floor(var.subscription.queue.max_receive_count) == var.subscription.queue.max_receive_count
    error_message = "SQS takes a receive count of 1 to 1000. Ten outlasts an outage of some minutes; fewer send messages to the dead-letter queue that one more try would have applied."
  }
}

variable "topic_parameter_arn" {
  description = <<-EOT
    The ARN of the topic's parameter where another account owns the topic, which
    has to list this account (output parameter_arn of its module topic). Else
    the parameter is found by its name, /replication/<env>/topics/<topic>. SSM
    denies it until the owner has applied its list, and where the two accounts
    are in no organization together, until this one has accepted AWS RAM's share.
  EOT
  type        = string
  default     = null

  validation {
    condition     = var.topic_parameter_arn == null ? true : can(regex("^arn:[a-z-]+:ssm:[a-z0-9-]+:[0-9]{12}:parameter/replication/[^/]+/topics/[^/]+$", var.topic_parameter_arn))
    error_message = "The topic's parameter is given by its ARN, arn:aws:ssm:<region>:<account>:parameter/replication/<env>/topics/<topic>, as the owner's module topic has it in its output parameter_arn."
  }

  validation {
    condition     = var.topic_parameter_arn == null ? true : try(split("/", var.topic_parameter_arn)[2], var.env) == var.env
    error_message = "The parameter ${coalesce(var.topic_parameter_arn, "-")} is not of ${var.env}: the changes of one environment would be applied in another. Take the owner's parameter of ${var.env}, or correct env."
  }

  validation {
    condition     = var.topic_parameter_arn == null ? true : try(split("/", var.topic_parameter_arn)[4], local.declared) == local.declared
    error_message = "The parameter ${coalesce(var.topic_parameter_arn, "-")} is not of the topic ${local.declared}, which the manifest subscribes to. Take that topic's parameter, or name the topic in the manifest, with topic:."
  }
}

variable "age_threshold_seconds" {
  description = "How long the oldest message may wait before the alarm."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.age_threshold_seconds >= 60 && var.age_threshold_seconds <= 172800
    error_message = "Alarm between one minute and two days: messages live four days, and whoever is woken needs the other two."
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
