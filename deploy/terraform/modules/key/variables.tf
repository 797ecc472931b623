variable "name" {
  description = "What the key is called: its alias is alias/<name>, with \"-\" for every \".\"."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9/_.-]{1,240}$", var.name)) && !startswith(var.name, "aws/")
    error_message = "A key's name has 1 to 240 letters, digits, slashes, underscores, dots and hyphens, and does not begin with aws/, which KMS keeps for AWS's own keys. Shorten or change it."
  }
}

variable "description" {
  description = "What the key encrypts."
  type        = string

  validation {
    condition     = length(var.description) > 0
    error_message = "Say what the key encrypts: whoever finds it in three years has nothing else to go by."
  }
}

variable "services" {
  description = <<-EOT
    AWS services that use the key by themselves, each for what its conditions
    name alone: the service's principal, the actions, and at least one condition.
    A service without a condition would use the key for anybody's resources.
  EOT
  type = list(object({
    sid       = string
    principal = string
    actions   = list(string)
    conditions = list(object({
      test     = string
      variable = string
      values   = list(string)
    }))
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for s in var.services : endswith(s.principal, ".amazonaws.com") || endswith(s.principal, ".amazonaws.com.cn")])
    error_message = "A service's principal looks like sns.amazonaws.com. Roles and accounts get the key through callers, or through their own policies."
  }

  validation {
    condition = alltrue([for s in var.services : anytrue([for c in s.conditions :
      contains(["ArnEquals", "StringEquals"], c.test) && length(c.values) > 0 && !strcontains(join(" ", c.values), "*") &&
      (contains(["aws:SourceArn", "aws:SourceAccount"], c.variable) || startswith(c.variable, "kms:EncryptionContext:"))
    ])])
    error_message = "A service is given a key for named resources alone: by ArnEquals or StringEquals of aws:SourceArn, aws:SourceAccount or an encryption context, without wildcards. Otherwise it would use the key on behalf of anybody. Add the condition."
  }

  validation {
    condition     = alltrue(flatten([for s in var.services : [for a in s.actions : startswith(a, "kms:") && a != "kms:*"]]))
    error_message = "Name the KMS actions that the service needs, such as kms:GenerateDataKey*; kms:* would let it schedule the key's deletion."
  }
}

variable "callers" {
  description = <<-EOT
    Roles, in this or in other accounts, that use the key through an AWS service
    and not directly: kms:ViaService names the service (sns, sqs, dynamodb).
    Roles of this account may also be given it by a policy of their own.
  EOT
  type = list(object({
    sid       = string
    role_arns = list(string)
    via       = string
    actions   = list(string)
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue(flatten([for c in var.callers : [for arn in c.role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/[^*?]+$", arn))]]))
    error_message = "A caller is a role, given by its ARN (arn:aws:iam::<account>:role/<name>), without wildcards, which ArnEquals would follow."
  }

  validation {
    condition     = alltrue([for c in var.callers : contains(["dynamodb", "s3", "sns", "sqs"], c.via)])
    error_message = "A role uses the key through one service, via: dynamodb, s3, sns or sqs. Name it."
  }

  validation {
    condition     = alltrue(flatten([for c in var.callers : [for a in c.actions : startswith(a, "kms:") && a != "kms:*"]]))
    error_message = "Name the KMS actions that the roles need, such as kms:Decrypt; kms:* would let them schedule the key's deletion."
  }
}

variable "log_groups" {
  description = "Names of the log groups of this account and Region that are encrypted with the key."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.log_groups : can(regex("^[A-Za-z0-9_/.#-]{1,512}$", name))])
    error_message = "A log group is given by its name, like /ecs/prod/stats, without wildcards: every group that matched could be read with the key."
  }
}

variable "deletion_window_days" {
  description = "Days between the key's removal and its end, in which it can be brought back; 7 to 30."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30
    error_message = "KMS waits 7 to 30 days before it deletes a key, and with it everything the key encrypted. Choose a number of days in between."
  }
}

variable "tags" {
  description = "Tags of everything the module makes."
  type        = map(string)
  default     = {}
  nullable    = false
}
