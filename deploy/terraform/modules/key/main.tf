data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # Without this statement nobody could ever change the key again. It also lets
  # the account's own policies give the key to roles (KMS, "Default key policy").
  administration = {
    Sid       = "AccountAdministers"
    Effect    = "Allow"
    Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
    Action    = ["kms:*"]
    Resource  = ["*"]
  }

  # CloudWatch Logs names the group in the encryption context ("Encrypt log data
  # in CloudWatch Logs using AWS Key Management Service").
  logs = length(var.log_groups) == 0 ? [] : [{
    sid       = "OnlyTheseLogGroups"
    principal = "logs.${local.region}.amazonaws.com"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    conditions = [{
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = [for name in sort(var.log_groups) : "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${name}"]
    }]
  }]

  # In a key's policy "*" stands for the key itself.
  services = [for s in concat(var.services, local.logs) : {
    Sid       = s.sid
    Effect    = "Allow"
    Principal = { Service = s.principal }
    Action    = s.actions
    Resource  = ["*"]
    # A condition's operators are the keys of the outer map, so that two
    # conditions of one operator stand side by side.
    Condition = {
      for test in distinct(s.conditions[*].test) : test => {
        for c in s.conditions : c.variable => c.values if c.test == test
      }
    }
  }]

  # The accounts are principals and the roles a condition, so that a role need
  # not exist yet, and one that is made anew under its name is not locked out.
  callers = [for c in var.callers : {
    Sid    = c.sid
    Effect = "Allow"
    Principal = {
      AWS = [for a in sort(distinct([for arn in c.role_arns : split(":", arn)[4]])) : "arn:${local.partition}:iam::${a}:root"]
    }
    Action   = c.actions
    Resource = ["*"]
    Condition = {
      ArnEquals    = { "aws:PrincipalArn" = sort(c.role_arns) }
      StringEquals = { "kms:ViaService" = ["${c.via}.${local.region}.amazonaws.com"] }
    }
  } if length(c.role_arns) > 0]

  # The lists hold objects of different types, which concat alone would refuse.
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = flatten([local.administration, local.services, local.callers])
  })
}

resource "aws_kms_key" "this" {
  description             = var.description
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_days
  policy                  = local.policy
  tags                    = var.tags
}

resource "aws_kms_alias" "this" {
  name          = "alias/${replace(var.name, ".", "-")}"
  target_key_id = aws_kms_key.this.key_id
}
