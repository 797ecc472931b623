variable "manifest" {
  description = "The content of the service's replication.yaml: file(\".../replication.yaml\")."
  type        = string
  nullable    = false

  # What is no manifest at all, module manifest refuses.
  validation {
    condition     = !can(yamldecode(var.manifest).service) || (try(length(yamldecode(var.manifest).publishes), 0) == 0 && try(length(yamldecode(var.manifest).subscribes), 0) > 0)
    error_message = "This is for services that subscribe and publish nothing: topics and relays are not made here. Make a root of the single modules, as services/profile and services/stats are."
  }
}

variable "env" {
  description = "The environment: prod, staging. The owners' topics are looked up in the same one."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.env))
    error_message = "An environment's name has 2 to 32 lower case letters, digits and hyphens and begins with a letter, like prod: every name here begins with it."
  }
}

variable "image" {
  description = "The image of the service, by digest: <repository>@sha256:<64 hexadecimal digits>."
  type        = string
  nullable    = false
}

variable "network" {
  description = "Where the tasks run: private subnets, with a way to AWS's endpoints, and the security groups of the tasks' interfaces."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  nullable = false
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm goes off and when it is over. Without one nobody is."
  type        = list(string)
  nullable    = false
}

variable "topic_parameter_arns" {
  description = <<-E
    Of each contract whose topic another account owns, the ARN of the topic's parameter (output parameter_arn of the
    owner's module topic); that account has to list this one first. The others are found by their names.
  E
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.topic_parameter_arns), [for s in try(yamldecode(var.manifest).subscribes, []) : s.contract])) == 0
    error_message = "topic_parameter_arns names ${join(", ", setsubtract(keys(var.topic_parameter_arns), [for s in try(yamldecode(var.manifest).subscribes, []) : s.contract]))}, to which the manifest does not subscribe. Its keys are the manifest's contracts, like company.profile/v1."
  }
}

variable "task_statements" {
  description = <<-E
    What the service's own code does at AWS, beyond its copies: IAM statements, each with actions and the resources
    that they are allowed on, as of module consumer. Tables of the manifest are in the output table_arns.
  E
  type = list(object({
    sid        = string
    actions    = list(string)
    resources  = list(string)
    conditions = optional(map(map(list(string))), {})
  }))
  default  = []
  nullable = false
}

variable "environment" {
  description = "Further environment variables of the container, beside that of listen and those that module consumer sets. No secrets."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "listen" {
  description = "Where the program listens: the environment variable that tells it, and the port where no load balancer names one."
  type = object({
    variable = optional(string, "HEALTH_ADDR")
    port     = optional(number, 8090)
  })
  default  = {}
  nullable = false
}

variable "drain" {
  description = "How the container stops, as in module consumer: its phases, what each gets, and when it is killed."
  type = object({
    timeout_seconds = optional(number, 20)
    phases          = optional(number, 1)
    stop_seconds    = optional(number, 60)
  })
  default  = {}
  nullable = false
}

variable "load_balancer" {
  description = "The target group that asks for the health endpoint, and its port, which the program then listens at; null for none."
  type = object({
    target_group_arn = string
    port             = optional(number, 8090)
  })
  default = null
}

variable "scaling" {
  description = "The fewest and the most tasks, and how many visible messages a task may have before it: at 2,000 changes a second, 60,000 are half a minute's work."
  type = object({
    min               = optional(number, 2)
    max               = optional(number, 6)
    messages_per_task = optional(number, 60000)
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

variable "wait_for_tasks" {
  description = "Whether an apply ends once the new tasks run and the old ones are gone. false where somebody else watches the deployment."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of everything the module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
