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
  description = "The service that owns the table."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]*[a-z0-9])?$", var.service)) && var.service != "all"
    error_message = "A service's name has lower case letters, digits and hyphens and begins with a letter, and is not \"all\", the audience of changes that are for everybody: queues and filters are named after it."
  }
}

variable "name_prefix" {
  description = "Put before the table's name, where one account has several environments."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{0,32}$", var.name_prefix))
    error_message = "A prefix has up to 32 letters, digits, underscores and hyphens."
  }
}

variable "table" {
  description = "One entry of the manifest's tables."
  type = object({
    name          = string
    partition_key = object({ name = string, type = string })
    sort_key      = optional(object({ name = string, type = string }))
    indexes = optional(list(object({
      name          = string
      partition_key = object({ name = string, type = string })
      sort_key      = optional(object({ name = string, type = string }))
      projection    = optional(string, "all")
      include       = optional(list(string), [])
    })), [])
    stream        = optional(bool, false)
    ttl_attribute = optional(string)
  })
  nullable = false

  validation {
    condition     = !startswith(var.table.name, "arn:")
    error_message = "The table is given by its ARN, which ties the manifest to one account and Region. Write its name, the ARN's last part."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table.name))
    error_message = "DynamoDB takes no such table name. Use 3 to 255 letters, digits, underscores, hyphens and dots."
  }

  validation {
    condition = alltrue([for k in concat(
      [var.table.partition_key], var.table.sort_key == null ? [] : [var.table.sort_key],
      flatten([for ix in var.table.indexes : concat([ix.partition_key], ix.sort_key == null ? [] : [ix.sort_key])])
    ) : contains(["S", "N", "B"], k.type) && length(k.name) >= 1 && length(k.name) <= 255])
    error_message = "A key attribute has a name of 1 to 255 bytes and a type: S for a string, N for a number, B for binary. DynamoDB refuses the table otherwise."
  }

  validation {
    condition = (
      (var.table.sort_key == null ? true : var.table.sort_key.name != var.table.partition_key.name) &&
      alltrue([for ix in var.table.indexes : ix.sort_key == null ? true : ix.sort_key.name != ix.partition_key.name])
    )
    error_message = "The sort key is the partition key already. Name another attribute, or leave the sort key out."
  }

  validation {
    condition = alltrue([for name, types in { for k in concat(
      [var.table.partition_key], var.table.sort_key == null ? [] : [var.table.sort_key],
      flatten([for ix in var.table.indexes : concat([ix.partition_key], ix.sort_key == null ? [] : [ix.sort_key])])
    ) : k.name => k.type... } : length(distinct(types)) == 1])
    error_message = "An attribute has two types in the table's keys, and an item can hold only one. Give it one type."
  }

  validation {
    condition     = length(var.table.indexes) <= 20 && length(distinct(var.table.indexes[*].name)) == length(var.table.indexes)
    error_message = "A table has at most 20 indexes, each of its own name. Drop some, rename one, or split the table."
  }

  validation {
    condition     = alltrue([for ix in var.table.indexes : can(regex("^[A-Za-z0-9_.-]{3,255}$", ix.name))])
    error_message = "DynamoDB takes no such index name. Use 3 to 255 letters, digits, underscores, hyphens and dots."
  }

  validation {
    condition     = alltrue([for ix in var.table.indexes : contains(["all", "keys_only"], ix.projection)])
    error_message = "An index's projection is all or keys_only; include: adds attributes to keys_only."
  }

  validation {
    condition     = alltrue([for ix in var.table.indexes : ix.projection != "all" || length(ix.include) == 0])
    error_message = "An index with projection: all holds every attribute already. Write projection: keys_only, or leave include out."
  }

  validation {
    condition = alltrue(flatten([for ix in var.table.indexes : [for name in ix.include : !contains(concat(
      [var.table.partition_key.name, ix.partition_key.name],
      var.table.sort_key == null ? [] : [var.table.sort_key.name], ix.sort_key == null ? [] : [ix.sort_key.name]
    ), name)]]))
    error_message = "include names a key attribute, which every index holds. Leave it out of include."
  }

  validation {
    condition     = sum(concat([0], [for ix in var.table.indexes : length(ix.include)])) <= 100 && alltrue([for ix in var.table.indexes : length(distinct(ix.include)) == length(ix.include)])
    error_message = "A table's indexes include at most 100 attributes together, each named once. Use projection: all where most are needed."
  }

  validation {
    condition = alltrue([for k in concat(
      [var.table.partition_key], var.table.sort_key == null ? [] : [var.table.sort_key],
      flatten([for ix in var.table.indexes : concat([ix.partition_key], ix.sort_key == null ? [] : [ix.sort_key])])
    ) : k.type == "N" || k.name != coalesce(var.table.ttl_attribute, "-") || var.table.ttl_attribute == null])
    error_message = "The TTL attribute is a key attribute that is no number, and TTL reads numbers only: nothing would ever expire. Use another attribute for the expiry."
  }
}

variable "kms_key_arn" {
  description = "The service's customer key, by which the table is encrypted at rest (module key)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The table is encrypted by a customer key, given by its ARN (arn:aws:kms:...:key/...), not by an alias: DynamoDB would report another value than was asked for, and every plan would show a change."
  }
}

variable "protected" {
  description = <<-EOT
    Whether the table is kept from being deleted: by DynamoDB's deletion
    protection, and by Terraform, which refuses a plan that would delete or
    replace it. README.md says how a protected table is let go.
  EOT
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_topic_arns" {
  description = "SNS topics that alarms go to, and their recovery."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "throttle_threshold" {
  description = "Throttled requests within a minute, three minutes of five, that raise the alarm."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.throttle_threshold >= 1
    error_message = "An alarm on fewer than one throttled request would always ring."
  }
}

variable "tags" {
  description = "Tags of everything the module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
