data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  contract = var.subscription.contract
  declared = coalesce(var.subscription.topic, replace(local.contract, "/[^A-Za-z0-9]/", "-"))

  # The defaults of the manifest, as module manifest fills them in, for whoever
  # gives the entry as it is written; tests hold them against the programs'.
  queue_base = coalesce(var.subscription.queue.name, "${var.service}-${local.declared}")
  queue_name = "${var.name_prefix}${local.queue_base}"
  dlq_name   = "${var.name_prefix}${coalesce(var.subscription.queue.dead_letter_queue, "${local.queue_base}-dlq")}"

  queue_arn = "arn:${local.partition}:sqs:${local.region}:${local.account}:${local.queue_name}"
  dlq_arn   = "arn:${local.partition}:sqs:${local.region}:${local.account}:${local.dlq_name}"

  unit_seconds = { h = 3600, m = 60, s = 1, ms = 0.001 }
  seconds = {
    for what, text in {
      visibility = var.subscription.queue.visibility_timeout
      handler    = coalesce(var.subscription.queue.handler_timeout, "0s")
    } : what => sum([for p in regexall("([0-9]+(?:\\.[0-9]+)?)(ms|s|m|h)", text) : tonumber(p[0]) * local.unit_seconds[p[1]]])
  }
  visibility = local.seconds.visibility
  handler    = var.subscription.queue.handler_timeout == null ? local.visibility * 2 / 3 : local.seconds.handler

  # The same JSON as the Go package manifest writes, which replicactl compares.
  filter_policy = jsonencode({
    audience = ["all", var.service]
    changed  = sort(var.subscription.attributes)
  })

  tags = merge(var.tags, { environment = var.env, service = var.service, contract = replace(local.contract, "/", ":") })

  consumer_statements = [
    {
      sid = "Queue"
      actions = [
        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility",
        "sqs:GetQueueUrl", "sqs:GetQueueAttributes",
        "sqs:SendMessage", # a fan-out's second pass, a message with a delay
      ]
      resources  = [aws_sqs_queue.this.arn]
      conditions = {}
    },
    {
      sid        = "DeadLetters"
      actions    = ["sqs:SendMessage", "sqs:GetQueueUrl", "sqs:GetQueueAttributes"]
      resources  = [aws_sqs_queue.dead.arn]
      conditions = {}
    },
    {
      sid        = "QueueKey"
      actions    = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources  = [module.key.arn]
      conditions = { StringEquals = { "kms:ViaService" = ["sqs.${local.region}.amazonaws.com"] } }
    },
  ]
}

# Both queues have one key: what a message holds does not change by being dead.
module "key" {
  source = "../key"

  name        = "${var.env}/queue/${local.queue_name}"
  description = "Changes of ${local.contract} at rest in ${local.queue_name} and ${local.dlq_name}, ${var.env}"
  services = [{
    sid       = "OnlyThisTopicSends"
    principal = "sns.amazonaws.com"
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
    # The ARN has the account in it. aws:SourceAccount beside it would say nothing
    # more, and a delivery that came without it would be refused in silence.
    conditions = [
      { test = "ArnEquals", variable = "aws:SourceArn", values = [local.topic.arn] },
    ]
  }]
  tags = local.tags
}

resource "aws_sqs_queue" "dead" {
  name                      = local.dlq_name
  message_retention_seconds = 1209600 # 14 days, SQS's longest: it counts from the first time a message was sent
  kms_master_key_id         = module.key.id
  tags                      = local.tags

  # The provider of this version sets 256 KiB and takes no more, while SQS takes
  # 1 MiB. Whoever raises the limit by hand is left alone; README.md has the call.
  lifecycle {
    ignore_changes = [max_message_size]

    precondition {
      condition     = length(local.dlq_name) <= 80
      error_message = "The dead-letter queue's name ${local.dlq_name} is longer than the 80 characters SQS takes. Name it in the manifest, with dead_letter_queue:, or shorten name_prefix."
    }

    precondition {
      condition     = local.dlq_name != local.queue_name
      error_message = "The queue ${local.queue_name} is its own dead-letter queue, so a poison message would come back for ever. Give each its own name."
    }
  }
}

# Nothing but this queue may send its poison messages there, so that each is put
# back where it came from; what SNS and the consumer send is no redrive. It comes
# before the queue, and names it in words: SQS refuses a queue whose dead-letter
# queue does not take it, also one that is made anew under another name.
resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })
}

resource "aws_sqs_queue" "this" {
  name                       = local.queue_name
  message_retention_seconds  = 345600 # 4 days: shorter than the dead letters', so that none expires on arrival
  visibility_timeout_seconds = local.visibility
  receive_wait_time_seconds  = 20
  kms_master_key_id          = module.key.id
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.subscription.queue.max_receive_count
  })
  tags = local.tags

  depends_on = [aws_sqs_queue_redrive_allow_policy.dead]

  lifecycle {
    ignore_changes = [max_message_size]

    precondition {
      condition     = length(local.queue_name) <= 80
      error_message = "The queue's name ${local.queue_name} is longer than the 80 characters SQS takes. Name it in the manifest, with queue: {name: ...}, or shorten name_prefix."
    }

    precondition {
      condition     = local.visibility >= 1 && local.visibility <= 43200 && floor(local.visibility) == local.visibility
      error_message = "SQS has no visibility timeout of ${var.subscription.queue.visibility_timeout}. Use whole seconds, from 1s to 12h."
    }

    precondition {
      condition     = local.handler > 0 && local.handler < local.visibility
      error_message = "A handler of ${local.handler} s outlives the visibility timeout of ${local.visibility} s, or has no time at all: SQS would hand the message to a second consumer while the first one still works on it. Lower handler_timeout, or raise visibility_timeout."
    }
  }
}

resource "aws_sqs_queue_policy" "this" {
  for_each = {
    queue = { url = aws_sqs_queue.this.url, arn = local.queue_arn }
    dead  = { url = aws_sqs_queue.dead.url, arn = local.dlq_arn }
  }

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TopicSends"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = each.value.arn
        Condition = { ArnEquals = { "aws:SourceArn" = local.topic.arn } }
      },
      {
        Sid       = "OnlyTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = each.value.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "this" {
  topic_arn            = local.topic.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.this.arn
  raw_message_delivery = true
  filter_policy        = local.filter_policy
  filter_policy_scope  = "MessageAttributes"
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn })

  lifecycle {
    precondition {
      condition     = local.readable
      error_message = "The SSM parameter ${local.parameter} is not what module topic writes: it has no topic's ARN in it. Apply the root of the service that publishes ${local.contract} again."
    }

    precondition {
      condition     = !local.readable || local.topic.contract == local.contract
      error_message = "The topic ${local.declared} carries ${local.topic.contract}, which ${local.topic.service} publishes, and this subscribes to ${local.contract}: its changes would be taken for something else. Name the topic of ${local.contract} in the manifest, with topic:."
    }

    precondition {
      condition     = !local.readable || local.topic.contract != local.contract || length(local.lacking) == 0
      error_message = "${local.contract}, as ${local.topic.service} publishes it in ${var.env}, has no attribute ${join(", ", local.lacking)}: changes to it would never arrive. It has ${length(local.topic.attributes) == 0 ? "none" : join(", ", local.topic.attributes)}. Mend attributes: in the manifest, or have ${local.topic.service} add the attribute and apply its root first."
    }

    precondition {
      condition     = !local.readable || !local.foreign_topic || contains(local.topic.subscriber_accounts, local.account)
      error_message = "Account ${local.account} may not subscribe to the topic of ${local.contract} in account ${local.topic_account}. Have ${local.topic.service} list ${local.account} in subscriber_accounts and apply its root first."
    }

    precondition {
      condition     = !local.readable || local.topic_region == local.region
      error_message = "The topic of ${local.contract} is in ${local.topic_region}, and this root makes its queue in ${local.region}, where neither the topic's metrics nor its parameter are. Apply this root in ${local.topic_region}."
    }
  }

  # The first message comes as soon as the subscription is there.
  depends_on = [aws_sqs_queue_policy.this, module.key]
}
