variable "env" {
  description = "The environment: prod, staging."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.env))
    error_message = "An environment's name has 2 to 32 lower case letters, digits and hyphens and begins with a letter, like prod: the dashboard is named after it."
  }
}

variable "service" {
  description = "The service that the dashboard shows."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]*[a-z0-9])?$", var.service))
    error_message = "A service's name has lower case letters, digits and hyphens and begins with a letter: the dashboard is named after it."
  }
}

variable "topics" {
  description = "Names of the topics that the service publishes to."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "relays" {
  description = "The service's relays: the Lambda function, the event source mapping that calls it, with metrics of the events it counts, and the relay's dead-letter queue."
  type = list(object({
    function_name     = string
    mapping_id        = string
    dead_letter_queue = string
  }))
  default  = []
  nullable = false
}

variable "queues" {
  description = "The queues that the service consumes, and the dead-letter queue of each."
  type = list(object({
    name              = string
    dead_letter_queue = string
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for q in var.queues : q.name != q.dead_letter_queue])
    error_message = "A queue is not its own dead-letter queue."
  }
}

variable "tables" {
  description = "The service's tables, and the names of each one's indexes, which throttle by themselves."
  type = list(object({
    name    = string
    indexes = optional(list(string), [])
  }))
  default  = []
  nullable = false
}

variable "tasks" {
  description = "The service's tasks, as the consumer module puts them out; null for a service that has none."
  type = object({
    cluster_name         = string
    service_name         = string
    log_group_name       = string
    log_metric_namespace = string
  })
  default = null
}

variable "alarm_arns" {
  description = "The service's alarms. The dashboard shows their state at the top, 100 at most."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    # AWS, "Dashboard Body Structure and Syntax", alarm widget.
    condition     = length(var.alarm_arns) <= 100
    error_message = "An alarm widget shows 100 alarms at most."
  }
}
