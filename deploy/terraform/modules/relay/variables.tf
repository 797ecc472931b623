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
  description = "The service that owns the table and the topic."
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
  description = "One entry of the manifest's publishes. What is left out has the manifest's defaults."
  type = object({
    contract = string
    topic    = optional(string) # the contract's id, with hyphens
    table    = optional(string) # for messages only; the table itself is the variable table
    # Templates of the key attributes; text before the first placeholder is what
    # every key of this contract begins with.
    key = map(string)
    match = optional(map(object({
      prefix = optional(string)
      equals = optional(string)
      exists = optional(bool)
    })), {})
    version_attribute = optional(string, "version")
    dead_letter_queue = optional(string) # <service>-<topic>-relay-dlq
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)*/v[1-9][0-9]*$", var.publication.contract))
    error_message = "A contract is named by its id with its major version, like company.profile/v1."
  }

  validation {
    condition     = alltrue([for name in [var.publication.topic, var.publication.dead_letter_queue] : !startswith(coalesce(name, "-"), "arn:")])
    error_message = "A topic or queue is given by its ARN, which ties the manifest to one account and Region. Write the name, the ARN's last part."
  }

  validation {
    condition     = var.publication.topic == null ? true : can(regex("^[A-Za-z0-9_-]{1,256}$", var.publication.topic))
    error_message = "SNS takes no such name for a standard topic. Use 1 to 256 letters, digits, underscores and hyphens; order needs no FIFO topic, versions see to it."
  }

  validation {
    condition     = var.publication.dead_letter_queue == null ? true : can(regex("^[A-Za-z0-9_-]{1,80}$", var.publication.dead_letter_queue))
    error_message = "SQS takes no such name for a standard queue. Use 1 to 80 letters, digits, underscores and hyphens."
  }

  validation {
    condition     = length(var.publication.key) > 0 && length(regexall("{", replace(join("", values(var.publication.key)), "{{", ""))) + length([for t in values(var.publication.key) : t if t == "subject"]) > 0
    error_message = "The key captures nothing, so every item would have the same subject. Write the key attributes with templates, like key: {cik: \"{cik}\"}."
  }

  validation {
    condition     = alltrue([for m in values(var.publication.match) : (m.prefix == null ? 0 : 1) + (m.equals == null ? 0 : 1) + (m.exists == null ? 0 : 1) == 1])
    error_message = "A match is one condition on an attribute. Write one of prefix, equals and exists."
  }

  validation {
    # The relay takes an empty text for a condition that is not there.
    condition     = alltrue(flatten([for m in values(var.publication.match) : [for text in [m.prefix, m.equals] : text != ""]]))
    error_message = "A match with an empty prefix or equals says nothing. Write the text that the attribute begins with or is, or exists: true."
  }

  validation {
    condition     = !contains(keys(var.publication.key), var.publication.version_attribute)
    error_message = "The version attribute is a key attribute, and a version changes. Name another attribute."
  }
}

variable "table" {
  description = "The source table: output source of its module table."
  type = object({
    name          = string
    arn           = string
    stream_arn    = string
    ttl_attribute = string
    kms_key_arn   = string
    key_types     = map(string)
  })
  nullable = false

  validation {
    condition     = var.table.stream_arn != null
    error_message = "The stream of the source table is off, so no change would ever be published. Write stream: true at the table in the manifest."
  }

  validation {
    condition     = alltrue([for t in values(var.table.key_types) : contains(["S", "N"], t)])
    error_message = "The source table's key is binary, and subjects are texts. Use a key of type S or N."
  }
}

variable "topic_arn" {
  description = "The topic that changes are published to: output arn of module topic."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.topic_arn))
    error_message = "The topic is given by its ARN, arn:aws:sns:<region>:<account>:<name>, and is no FIFO topic."
  }
}

variable "topic_kms_key_arn" {
  description = "The topic's key: output kms_key_arn of module topic."
  type        = string
  nullable    = false
}

variable "package" {
  description = <<-EOT
    The function's zip with the static arm64 binary bootstrap, as `make package`
    builds it: a file (path), or an object in S3 (bucket, key, version, and the
    zip's SHA-256 in base64, without which a new build would not be noticed).
  EOT
  type = object({
    path       = optional(string)
    s3_bucket  = optional(string)
    s3_key     = optional(string)
    s3_version = optional(string)
    sha256     = optional(string)
  })
  nullable = false

  validation {
    condition     = (var.package.path == null) != (var.package.s3_bucket == null)
    error_message = "The package is either a file (path) or an object in S3 (s3_bucket and s3_key). Give one of the two."
  }

  validation {
    condition     = var.package.s3_bucket == null ? true : var.package.s3_key != null && var.package.sha256 != null
    error_message = "A package in S3 needs s3_key and sha256 (openssl dgst -sha256 -binary relay.zip | base64): Terraform does not read it, and would deploy the old code for ever."
  }

  validation {
    condition     = var.package.path == null ? true : fileexists(var.package.path)
    error_message = "There is no package at that path. Build it first, with make package."
  }
}

variable "environment" {
  description = "Further environment variables of the function, such as LOG_LEVEL. What the module sets itself cannot be set here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.environment), ["TOPIC_ARN", "RELAY_DLQ"])) == 0
    error_message = "TOPIC_ARN and RELAY_DLQ are the module's to set: another topic would receive what its subscribers never asked for. Leave them out."
  }
}

variable "memory_mb" {
  description = "The function's memory, and with it its share of a CPU."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "Lambda has functions of 128 to 10240 MB."
  }
}

variable "timeout_seconds" {
  description = "How long one batch may take. Shortly before, the relay reports what it has not published yet, and Lambda goes on there."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 30 && var.timeout_seconds <= 900
    error_message = "Give a batch 30 s to 15 min: less does not outlast the retries of one throttled AWS call."
  }
}

variable "reserved_concurrency" {
  description = "Invocations at a time that are kept for, and bound, this function; null shares the account's with every other function."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 1
    error_message = "A reserved concurrency of 0 stops the function, and changes are lost 24 hours later. To pause replication disable the mapping, for less than that; the alarm unread reminds you. null reserves nothing."
  }
}

variable "mapping" {
  description = <<-EOT
    How Lambda reads the stream. batch_size: records a call. window_seconds: how
    long a batch that is not full waits; it is added to the lag of a quiet table.
    parallelization: batches of one shard at a time; an item's records stay in
    order all the same. max_retries and max_age_seconds: when a batch that keeps
    failing is put into S3 and the shard goes on. A try takes a moment where AWS
    refuses at once, and seconds where it does not answer, so that 1000 outlast a
    broken policy by minutes and an outage by about an hour, while a record that
    crashes the relay holds its shard up no longer than that.
  EOT
  type = object({
    batch_size      = optional(number, 100)
    window_seconds  = optional(number, 0)
    parallelization = optional(number, 1)
    max_retries     = optional(number, 1000)
    max_age_seconds = optional(number, 21600)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.mapping.batch_size >= 1 && var.mapping.batch_size <= 10000 && var.mapping.window_seconds >= 0 && var.mapping.window_seconds <= 300
    error_message = "A batch has 1 to 10000 records and waits 0 to 300 seconds to become full."
  }

  validation {
    condition     = var.mapping.parallelization >= 1 && var.mapping.parallelization <= 10
    error_message = "Lambda works on 1 to 10 batches of a shard at a time."
  }

  validation {
    condition     = var.mapping.max_retries >= 3 && var.mapping.max_retries <= 10000
    error_message = "Retries are bounded, from 3 to 10000: without a bound (-1), one record that crashes the relay stops its shard for 24 hours; with fewer than 3, a short outage of SNS fills the bucket."
  }

  validation {
    condition     = var.mapping.max_age_seconds >= 300 && var.mapping.max_age_seconds <= 72000
    error_message = "A record is given up at an age of 5 minutes to 20 hours: the stream itself forgets it after 24, without a trace, and S3 has to have it before."
  }
}

variable "failed_records_days" {
  description = "How long the failed records stay in S3."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.failed_records_days >= 30
    error_message = "Keep failed records for at least 30 days: they are the only copy of a change that was not published, and tombstones at the source live that long."
  }
}

variable "log_retention_days" {
  description = "How long the function's logs are kept; a number of days that CloudWatch Logs offers."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps logs for 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 or more days. 0, for ever, is not offered here."
  }
}

variable "iterator_age_threshold_seconds" {
  description = "How far the relay may fall behind the stream before the alarm."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.iterator_age_threshold_seconds >= 60 && var.iterator_age_threshold_seconds <= 43200
    error_message = "Alarm between one minute and twelve hours: the stream forgets after 24 hours, and whoever is woken needs the rest."
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
