variable "env" {
  description = "The environment: prod, staging. Subscribers look the topic up in the same one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.env))
    error_message = "An environment's name has 2 to 32 lower case letters, digits and hyphens and begins with a letter, like prod: names and parameters carry it."
  }
}

variable "region" {
  description = "The AWS Region of everything here."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A Region looks like eu-west-1."
  }
}

variable "network" {
  description = "Where the tasks run: private subnets, with a way to AWS's endpoints, and the security groups of the tasks' interfaces."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  nullable = false
}

variable "image" {
  description = "The image of the API, by digest: <repository>@sha256:<64 hexadecimal digits>."
  type        = string
  nullable    = false
}

variable "relay_package" {
  description = "The relay's zip, as `make package` builds it: a file (path), or an object in S3 (s3_bucket, s3_key, s3_version) with its SHA-256 in base64."
  type = object({
    path       = optional(string)
    s3_bucket  = optional(string)
    s3_key     = optional(string)
    s3_version = optional(string)
    sha256     = optional(string)
  })
  nullable = false
}

variable "subscriber_accounts" {
  description = "Other accounts whose queues may subscribe."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "operator_role_arns" {
  description = "Roles of people and jobs that run replicactl backfill, replay or reconcile --repair, which publish."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "target_group_arn" {
  description = "The load balancer's target group (type ip, port 8081, health check /readyz) that the API is reached by; null where nothing calls it."
  type        = string
  default     = null
}

variable "scaling" {
  description = "The fewest and the most tasks of the API, and the average use of the processor that the number of tasks keeps to."
  type = object({
    min         = optional(number, 2)
    max         = optional(number, 6)
    cpu_percent = optional(number, 60)
  })
  default  = {}
  nullable = false
}

variable "size" {
  description = "What one task has: CPU units and MiB."
  type = object({
    cpu    = optional(number, 256)
    memory = optional(number, 512)
  })
  default  = {}
  nullable = false
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm goes off and when it is over. Without one nobody is."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "protected" {
  description = <<-E
    Whether the tables are protected from deletion. false only where all of the data may go, as in a test, and once every
    guard has left the state (`terraform state rm`, README.md of module table): before, the plan is refused.
  E
  type        = bool
  default     = true
  nullable    = false
}

variable "released_tables" {
  description = <<-E
    Tables that may go although the others are protected, by their names in the manifest: the second of the three steps in
    which a table is removed (README.md of module table). The first takes its guard out of the state, and the plan is refused
    until it has.
  E
  type        = set(string)
  default     = []
  nullable    = false
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 90
  nullable    = false
}

variable "tags" {
  description = "Further tags of everything here."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "wait_for_tasks" {
  description = "Whether an apply ends once the new tasks run and the old ones are gone. false where somebody else watches the deployment."
  type        = bool
  default     = true
  nullable    = false
}
