data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # The name by which subscribers know the topic, and the one it has.
  declared = coalesce(var.publication.topic, replace(var.publication.contract, "/[^A-Za-z0-9]/", "-"))
  name     = "${var.name_prefix}${local.declared}"
  # Written out, since the key's policy names the topic and the topic the key.
  arn = "arn:${local.partition}:sns:${data.aws_region.current.name}:${local.account}:${local.name}"

  attributes = sort(var.publication.attributes)
  publishers = sort(distinct(concat([var.publisher_role_arn], var.operator_role_arns)))
  foreign    = sort(distinct([for a in var.subscriber_accounts : a if a != local.account]))

  # Every queue of an account. SNS compares endpoints as texts, not as ARNs (SNS,
  # "Amazon SNS API permissions: Actions and resources reference"); a queue's name
  # has no colon, so that no other account's ARN is like this.
  queues_of = { for a in concat([local.account], local.foreign) : a => "arn:${local.partition}:sqs:*:${a}:*" }

  # Every action that a topic's policy may name (SNS, "Actions, resources, and
  # condition keys for Amazon SNS"); SNS refuses sns:* there.
  every_action = [
    "sns:AddPermission", "sns:DeleteTopic", "sns:GetDataProtectionPolicy", "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic", "sns:ListTagsForResource", "sns:Publish", "sns:PutDataProtectionPolicy",
    "sns:RemovePermission", "sns:SetTopicAttributes", "sns:Subscribe",
  ]

  tags = merge(var.tags, { environment = var.env, service = var.service, contract = replace(var.publication.contract, "/", ":") })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = flatten([
      {
        Sid       = "OwnAccount"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = [for a in local.every_action : a if a != "sns:Publish"]
        Resource  = [local.arn]
      },
      {
        Sid    = "RelayAndOperatorsPublish"
        Effect = "Allow"
        Principal = {
          AWS = [for a in sort(distinct([for arn in local.publishers : split(":", arn)[4]])) : "arn:${local.partition}:iam::${a}:root"]
        }
        Action    = ["sns:Publish"]
        Resource  = [local.arn]
        Condition = { ArnEquals = { "aws:PrincipalArn" = local.publishers } }
      },
      # A session's aws:PrincipalArn is its role's ARN (IAM, "AWS global
      # condition context keys"). Where the key is missing, as for a service,
      # a negated comparison holds and the request is denied.
      {
        Sid       = "NobodyElsePublishes"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sns:Publish"]
        Resource  = [local.arn]
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = local.publishers } }
      },
      [for a in local.foreign : {
        Sid       = "QueuesOf${a}Subscribe"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${a}:root" }
        Action    = ["sns:Subscribe"]
        Resource  = [local.arn]
        # The account's own queues: it cannot subscribe anybody else's.
        Condition = {
          StringEquals = { "sns:Protocol" = ["sqs"] }
          StringLike   = { "sns:Endpoint" = [local.queues_of[a]] }
        }
      }],
      length(local.foreign) == 0 ? [] : [{
        Sid       = "SubscribersLook"
        Effect    = "Allow"
        Principal = { AWS = [for a in local.foreign : "arn:${local.partition}:iam::${a}:root"] }
        Action    = ["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"]
        Resource  = [local.arn]
      }],
      # This account's administrators are held to the list as well.
      {
        Sid       = "NoQueueOfAnybodyElseSubscribes"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sns:Subscribe"]
        Resource  = [local.arn]
        Condition = { StringNotLike = { "sns:Endpoint" = [for a in sort(concat([local.account], local.foreign)) : local.queues_of[a]] } }
      },
      # Copies go to queues, which hold what could not be applied; a mail or
      # HTTP subscription would carry data out and lose what it cannot deliver.
      {
        Sid       = "NothingButQueuesSubscribes"
        Effect    = "Deny"
        Principal = "*"
        Action    = ["sns:Subscribe"]
        Resource  = [local.arn]
        Condition = { StringNotEquals = { "sns:Protocol" = ["sqs"] } }
      },
      {
        Sid       = "OnlyTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = local.every_action
        Resource  = [local.arn]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ])
  })
}

module "key" {
  source = "../key"

  name        = "${var.env}/topic/${local.name}"
  description = "Changes of ${var.publication.contract} at rest in the topic ${local.name}, ${var.env}"
  services = [{
    sid       = "OnlyThisTopic"
    principal = "sns.amazonaws.com"
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
    # The ARN has the account in it. aws:SourceAccount beside it would say nothing
    # more, and a delivery that came without it would be refused in silence.
    conditions = [
      { test = "ArnEquals", variable = "aws:SourceArn", values = [local.arn] },
    ]
  }]
  callers = [{
    sid       = "RelayAndOperatorsPublish"
    role_arns = local.publishers
    via       = "sns"
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
  }]
  tags = local.tags
}

resource "aws_sns_topic" "this" {
  name              = local.name
  kms_master_key_id = module.key.arn
  tags              = local.tags

  lifecycle {
    precondition {
      condition     = length(local.name) <= 256
      error_message = "The topic's name ${local.name} is longer than the 256 characters SNS takes. Shorten name_prefix or the manifest's topic."
    }
  }
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = local.policy

  # The quotas of a topic's policy are on the same page as its actions.
  lifecycle {
    precondition {
      condition     = length(local.policy) <= 30 * 1024 && length(jsondecode(local.policy).Statement) <= 100
      error_message = "The policy of ${local.name} has ${length(local.policy)} characters in ${length(jsondecode(local.policy).Statement)} statements, and SNS takes 30720 in 100: it names ${length(local.foreign)} other accounts and ${length(local.publishers)} publishing roles. Take accounts and roles out that no longer need it, or have subscribers share an account."
    }
  }
}

# Where subscribers look. It is written once the topic's policy is in force, so
# that whoever finds it can subscribe.
resource "aws_ssm_parameter" "this" {
  name        = "/replication/${var.env}/topics/${local.declared}"
  description = "The topic of ${var.publication.contract}, which ${var.service} publishes"
  type        = "String"
  # Only advanced parameters can be shared with other accounts, or hold more than
  # 4 KiB (Systems Manager, "Managing parameter tiers"). The rest of the value is
  # some hundred bytes.
  tier = length(local.foreign) > 0 || length(jsonencode(local.attributes)) > 3072 ? "Advanced" : "Standard"
  value = jsonencode({
    arn                 = aws_sns_topic.this.arn
    attributes          = local.attributes
    contract            = var.publication.contract
    kms_key_arn         = module.key.arn
    service             = var.service
    subscriber_accounts = local.foreign
  })
  tags = local.tags

  lifecycle {
    precondition {
      condition     = length(jsonencode([local.attributes, local.foreign])) <= 7168
      error_message = "The ${length(local.attributes)} attributes of ${var.publication.contract} and its ${length(local.foreign)} other accounts are too long for the parameter that subscribers read, which holds 8 KiB. Split the contract."
    }
  }

  depends_on = [aws_sns_topic_policy.this]
}

resource "aws_ram_resource_share" "this" {
  count = length(local.foreign) > 0 ? 1 : 0

  name                      = "replication-${var.env}-${local.name}"
  allow_external_principals = true
  tags                      = local.tags
}

resource "aws_ram_resource_association" "this" {
  count = length(local.foreign) > 0 ? 1 : 0

  resource_arn       = aws_ssm_parameter.this.arn
  resource_share_arn = aws_ram_resource_share.this[0].arn
}

resource "aws_ram_principal_association" "this" {
  for_each = toset(local.foreign)

  principal          = each.value
  resource_share_arn = aws_ram_resource_share.this[0].arn
}

# SNS counts by topic, not by subscription; each subscriber has its own alarms
# on what concerns it. These are the publisher's: its messages are wrong, or a
# subscriber's changes are lost for good.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    invalid-attributes = {
      metric = "NumberOfNotificationsFilteredOut-InvalidAttributes"
      says   = "Messages were published with attributes that filter policies cannot read, so subscribers do not get them. Roll the relay back, then `replicactl replay` from before it was deployed."
    }
    lost-deliveries = {
      metric = "NumberOfNotificationsFailedToRedriveToDlq"
      says   = "A subscription could neither deliver nor dead-letter a message: it is lost for that subscriber. Have its owner mend the dead-letter queue's policy and key, then `replicactl replay` or `replicactl backfill`."
    }
  }

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = "AWS/SNS"
  metric_name         = each.value.metric
  dimensions          = { TopicName = local.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags
}
