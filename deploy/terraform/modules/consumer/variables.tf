variable "env" {
  description = "The environment: prod, staging."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}[a-z0-9]$", var.env))
    error_message = "An environment's name has 2 to 32 lower case letters, digits and hyphens and begins with a letter, like prod: every name here begins with it."
  }
}

variable "service" {
  description = "The service's name, as in its manifest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]*[a-z0-9])?$", var.service))
    error_message = "A service's name has lower case letters, digits and hyphens and begins with a letter: the cluster, the roles and the log group are named after it."
  }

  validation {
    condition     = length(var.env) + length(var.service) <= 53
    error_message = "env and service have 53 characters at most together: the role <env>-<service>-execution has 64 at most."
  }
}

variable "image" {
  description = "The container image, by digest: <repository>@sha256:<64 hexadecimal digits>."
  type        = string
  nullable    = false

  validation {
    # A tag can be moved: a rollback, or one more task, would then run something else.
    condition     = can(regex("^[a-z0-9][a-zA-Z0-9._/:-]*@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image names a digest, <repository>@sha256:<64 hexadecimal digits>: a tag can be moved, and a rollback would then start another program."
  }
}

variable "size" {
  description = "What one task has: cpu in CPU units (1024 are one vCPU), memory in MiB; pairs that Fargate offers."
  type = object({
    cpu    = optional(number, 256)
    memory = optional(number, 512)
  })
  default  = {}
  nullable = false

  validation {
    # AWS, "Amazon ECS task definition parameters for Fargate", task size.
    condition = contains(lookup({
      "256"  = [512, 1024, 2048]
      "512"  = range(1024, 4097, 1024)
      "1024" = range(2048, 8193, 1024)
      "2048" = range(4096, 16385, 1024)
      "4096" = range(8192, 30721, 1024)
    }, tostring(var.size.cpu), []), var.size.memory)
    error_message = "size is a pair that Fargate offers: cpu 256 with memory 512, 1024 or 2048; 512 with 1024 to 4096; 1024 with 2048 to 8192; 2048 with 4096 to 16384; 4096 with 8192 to 30720, in steps of 1024."
  }
}

variable "environment" {
  description = "The container's environment variables, without AWS_REGION, DRAIN_TIMEOUT and GOMEMLIMIT, which the module sets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.environment), ["AWS_REGION", "DRAIN_TIMEOUT", "GOMEMLIMIT"])) == 0
    error_message = "environment has none of AWS_REGION, DRAIN_TIMEOUT and GOMEMLIMIT: the module sets them from drain and size."
  }

  validation {
    # Whoever may describe a task definition can read its variables.
    condition     = alltrue([for name in keys(var.environment) : !can(regex("(?i)secret|password|token|access_key", name))])
    error_message = "environment has no secrets: everybody who may describe the task definition reads them. The services need none; their rights come from task_statements."
  }
}

variable "network" {
  description = "Where the tasks run: private subnets, in two zones at least for a service that is to outlive one, and the security groups of their interfaces."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  nullable = false

  validation {
    condition     = length(var.network.subnet_ids) > 0 && length(var.network.security_group_ids) > 0 && alltrue([for id in var.network.subnet_ids : startswith(id, "subnet-")]) && alltrue([for id in var.network.security_group_ids : startswith(id, "sg-")])
    error_message = "network names at least one subnet and one security group, by their ids: subnet-… and sg-…."
  }
}

variable "load_balancer" {
  description = "The target group (target type ip) that sends requests to the tasks, and the port they listen at. null for a service without a load balancer."
  type = object({
    target_group_arn = string
    port             = number
  })
  default = null

  validation {
    condition     = var.load_balancer == null ? true : can(regex("^arn:[a-z-]+:elasticloadbalancing:", var.load_balancer.target_group_arn)) && var.load_balancer.port >= 1024 && var.load_balancer.port <= 65535
    error_message = "load_balancer has the ARN of a target group, and a port from 1024 to 65535: the container's user may not listen below."
  }
}

variable "scaling" {
  description = <<-E
    How many tasks there are: from min to max, so that the processor is used to cpu_percent on average and, where
    backlog is given, no task has more than messages_per_task of the queues' visible messages before it.
  E
  type = object({
    min         = optional(number, 2)
    max         = optional(number, 6)
    cpu_percent = optional(number, 60)
    backlog = optional(object({
      queue_names       = list(string)
      messages_per_task = number
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.scaling.min >= 1 && var.scaling.max >= var.scaling.min && floor(var.scaling.min) == var.scaling.min && floor(var.scaling.max) == var.scaling.max
    error_message = "scaling.min is at least 1, since the backlog of no task says nothing, and scaling.max at least scaling.min; both are whole."
  }

  validation {
    condition     = var.scaling.cpu_percent >= 10 && var.scaling.cpu_percent <= 90
    error_message = "scaling.cpu_percent is from 10 to 90."
  }

  validation {
    condition     = var.scaling.backlog == null ? true : var.scaling.backlog.messages_per_task >= 1 && length(var.scaling.backlog.queue_names) >= 1 && length(var.scaling.backlog.queue_names) <= 8
    error_message = "scaling.backlog has the names of 1 to 8 queues, and at least one message a task: a metric has ten parts at most."
  }
}

variable "drain" {
  description = <<-E
    How the container stops: each of its phases (requests; for a consumer messages after them) gets timeout_seconds,
    DRAIN_TIMEOUT, and it is killed after stop_seconds.
  E
  type = object({
    timeout_seconds = optional(number, 20)
    phases          = optional(number, 1)
    stop_seconds    = optional(number, 60)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.drain.timeout_seconds >= 1 && var.drain.timeout_seconds <= 300
    error_message = "drain.timeout_seconds is from 1 to 300, as the services take DRAIN_TIMEOUT."
  }

  validation {
    condition     = var.drain.stop_seconds >= var.drain.phases * var.drain.timeout_seconds + 15
    error_message = "drain.stop_seconds is at least phases × timeout_seconds and 15 more: a container killed while it drains leaves its messages invisible until their timeout."
  }

  validation {
    # AWS, "Amazon ECS task definition parameters for Fargate", stopTimeout.
    condition     = var.drain.stop_seconds <= 120
    error_message = "drain.stop_seconds is at most 120: Fargate waits no longer."
  }
}

variable "task_statements" {
  description = <<-E
    What the program may do at AWS: IAM statements, each with actions and the resources that they are allowed on;
    conditions by operator and key, as in {StringEquals = {"kms:ViaService" = ["sqs.eu-west-1.amazonaws.com"]}}.
  E
  type = list(object({
    sid        = string
    actions    = list(string)
    resources  = list(string)
    conditions = optional(map(map(list(string))), {})
  }))
  nullable = false

  validation {
    condition     = alltrue([for s in var.task_statements : length(s.actions) > 0 && alltrue([for a in s.actions : !strcontains(a, "*")])])
    error_message = "task_statements names each action in full, without wildcards."
  }

  validation {
    condition     = alltrue([for s in var.task_statements : length(s.resources) > 0 && alltrue([for r in s.resources : startswith(r, "arn:") && !strcontains(r, "*")])])
    error_message = "task_statements names each resource by its ARN, without wildcards."
  }

  validation {
    condition     = length(distinct(var.task_statements[*].sid)) == length(var.task_statements) && alltrue([for s in var.task_statements : can(regex("^[A-Za-z0-9]+$", s.sid))])
    error_message = "task_statements has another sid for each statement, of letters and digits."
  }
}

variable "kms_key_arn" {
  description = "The customer key of the log group. Its policy lets CloudWatch Logs use it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn is the ARN of a KMS key."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept; one of the numbers that CloudWatch Logs offers."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653: CloudWatch Logs offers no other, and for ever is none."
  }
}

variable "rollback_alarms" {
  description = "Names of further alarms that end a deployment and put the last one back: of the queue's age, say; those on logged errors and on rejected messages are always among them. Give none that goes on ringing while nothing happens, as on a dead-letter queue's length: where one rings when a deployment begins, ECS watches none of them."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "errors_per_5_minutes" {
  description = "The alarm on logged errors goes off where more than this many are logged in five minutes, twice in a row."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.errors_per_5_minutes >= 0
    error_message = "errors_per_5_minutes is not negative."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told when an alarm goes off and when it is over."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:", arn))])
    error_message = "alarm_topic_arns are ARNs of SNS topics."
  }
}

variable "wait_for_steady_state" {
  description = "Whether an apply waits until the new tasks run and the old ones are gone."
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
