# A subscription of the manifest: its queues, their policies and key, the filter,
# and the alarms. The topic is found by what its owner wrote down.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  env     = "prod"
  service = "stats"
  subscription = {
    contract   = "company.profile/v1"
    attributes = ["sector", "name"]
  }
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:oncall"]
}

run "defaults" {
  command = apply

  assert {
    condition     = aws_sqs_queue.this.name == "stats-company-profile-v1" && aws_sqs_queue.dead.name == "stats-company-profile-v1-dlq"
    error_message = "the names differ from the manifest's defaults: ${aws_sqs_queue.this.name}, ${aws_sqs_queue.dead.name}"
  }

  assert {
    condition     = aws_sqs_queue.this.message_retention_seconds == 4 * 86400 && aws_sqs_queue.dead.message_retention_seconds == 14 * 86400
    error_message = "queues keep 4 days, dead-letter queues 14"
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 30 && output.handler_timeout_seconds == 20
    error_message = "the timeouts differ from the manifest's defaults, 30 s and 20 s"
  }

  assert {
    condition     = aws_sqs_queue.this.receive_wait_time_seconds == 20
    error_message = "whoever forgets to ask for long polling polls short"
  }

  assert {
    condition     = aws_sqs_queue.this.redrive_policy == "{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:111122223333:stats-company-profile-v1-dlq\",\"maxReceiveCount\":10}"
    error_message = "a poison message comes back for ever, or too seldom: ${aws_sqs_queue.this.redrive_policy}"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.dead.redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = ["arn:aws:sqs:eu-west-1:111122223333:stats-company-profile-v1"] } && aws_sqs_queue_redrive_allow_policy.dead.queue_url == aws_sqs_queue.dead.url
    error_message = "other queues may send their dead letters here: ${aws_sqs_queue_redrive_allow_policy.dead.redrive_allow_policy}"
  }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == module.key.id && aws_sqs_queue.dead.kms_master_key_id == module.key.id && module.key.rotation
    error_message = "a queue is not encrypted by the subscription's key"
  }

  assert {
    condition     = jsondecode(module.key.policy).Statement[1].Condition == { ArnEquals = { "aws:SourceArn" = ["arn:aws:sns:eu-west-1:111122223333:company-profile-v1"] } }
    error_message = "SNS uses the key for other topics, too: ${module.key.policy}"
  }

  assert {
    condition     = jsondecode(module.key.policy).Statement[1].Action == ["kms:GenerateDataKey*", "kms:Decrypt"] && jsondecode(module.key.policy).Statement[1].Principal == { Service = "sns.amazonaws.com" }
    error_message = "SNS could not deliver to the encrypted queue: ${module.key.policy}"
  }

  assert {
    condition = alltrue([for what, name in { queue = "stats-company-profile-v1", dead = "stats-company-profile-v1-dlq" } : jsondecode(aws_sqs_queue_policy.this[what].policy) == jsondecode(jsonencode({
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "TopicSends"
          Effect    = "Allow"
          Principal = { Service = "sns.amazonaws.com" }
          Action    = "sqs:SendMessage"
          Resource  = "arn:aws:sqs:eu-west-1:111122223333:${name}"
          Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:sns:eu-west-1:111122223333:company-profile-v1" } }
        },
        {
          Sid       = "OnlyTLS"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sqs:*"
          Resource  = "arn:aws:sqs:eu-west-1:111122223333:${name}"
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
      ]
    }))])
    error_message = "a queue takes from more than its topic, or without TLS: ${aws_sqs_queue_policy.this["queue"].policy} ${aws_sqs_queue_policy.this["dead"].policy}"
  }

  assert {
    condition     = aws_sns_topic_subscription.this.topic_arn == "arn:aws:sns:eu-west-1:111122223333:company-profile-v1" && aws_sns_topic_subscription.this.protocol == "sqs" && aws_sns_topic_subscription.this.endpoint == aws_sqs_queue.this.arn
    error_message = "the queue is subscribed to another topic"
  }

  assert {
    condition     = aws_sns_topic_subscription.this.raw_message_delivery
    error_message = "messages come in SNS's envelope, without their attributes"
  }

  # The text that manifest.Subscription.FilterPolicy returns for this manifest.
  assert {
    condition     = aws_sns_topic_subscription.this.filter_policy == "{\"audience\":[\"all\",\"stats\"],\"changed\":[\"name\",\"sector\"]}" && aws_sns_topic_subscription.this.filter_policy_scope == "MessageAttributes"
    error_message = "the filter policy is ${aws_sns_topic_subscription.this.filter_policy}"
  }

  assert {
    condition     = aws_sns_topic_subscription.this.redrive_policy == "{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:111122223333:stats-company-profile-v1-dlq\"}"
    error_message = "what SNS cannot deliver is lost: ${aws_sns_topic_subscription.this.redrive_policy}"
  }

  assert {
    condition = { for what, a in aws_cloudwatch_metric_alarm.this : what => "${a.metric_name} ${join(" ", values(a.dimensions))} ${a.threshold}" } == {
      age                = "ApproximateAgeOfOldestMessage stats-company-profile-v1 300"
      dead-letters       = "ApproximateNumberOfMessagesVisible stats-company-profile-v1-dlq 0"
      failed-deliveries  = "NumberOfNotificationsFailed company-profile-v1 0"
      in-flight          = "ApproximateNumberOfMessagesNotVisible stats-company-profile-v1 90000"
      invalid-attributes = "NumberOfNotificationsFilteredOut-InvalidAttributes company-profile-v1 0"
      no-attributes      = "NumberOfNotificationsFilteredOut-NoMessageAttributes company-profile-v1 0"
    }
    error_message = "the alarms watch something else"
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.this : a.alarm_actions == toset(var.alarm_topic_arns) && a.ok_actions == toset(var.alarm_topic_arns) && a.treat_missing_data == "notBreaching" && length(a.alarm_description) > 80])
    error_message = "an alarm tells nobody, or not what to do"
  }

  assert {
    condition     = output.producer == "profile" && output.topic_arn == "arn:aws:sns:eu-west-1:111122223333:company-profile-v1"
    error_message = "the producer is ${output.producer}"
  }

  assert {
    condition     = alltrue(flatten([for s in output.consumer_statements : [for r in concat(s.actions, s.resources) : !strcontains(r, "*")]])) && output.consumer_statements[0].resources == [aws_sqs_queue.this.arn]
    error_message = "the consumer is given more than its queues: ${jsonencode(output.consumer_statements)}"
  }
}

run "everything_said" {
  command = plan

  variables {
    name_prefix = "blue-"
    subscription = {
      contract   = "company.profile/v1"
      topic      = "company-profile-v1"
      attributes = ["tickers"]
      queue = {
        name               = "profiles"
        dead_letter_queue  = "profiles-dead"
        visibility_timeout = "1m30s"
        handler_timeout    = "1m0.5s"
        max_receive_count  = 5
      }
    }
    age_threshold_seconds = 900
  }

  assert {
    condition     = aws_sqs_queue.this.name == "blue-profiles" && aws_sqs_queue.dead.name == "blue-profiles-dead"
    error_message = "the manifest's names are not used"
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 90 && output.handler_timeout_seconds == 60.5
    error_message = "1m30s is read as ${aws_sqs_queue.this.visibility_timeout_seconds} s, 1m0.5s as ${output.handler_timeout_seconds}"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["age"].threshold == 900 && aws_cloudwatch_metric_alarm.this["age"].dimensions == tomap({ QueueName = "blue-profiles" })
    error_message = "the alarm on the age is not as it was asked for"
  }
}

run "topic_of_another_account" {
  command = plan

  variables {
    topic_parameter_arn = "arn:aws:ssm:eu-west-1:999988887777:parameter/replication/prod/topics/company-profile-v1"
  }

  override_data {
    target = data.aws_ssm_parameter.topic[0]
    values = {
      value = "{\"arn\":\"arn:aws:sns:eu-west-1:999988887777:company-profile-v1\",\"attributes\":[\"name\",\"sector\"],\"contract\":\"company.profile/v1\",\"service\":\"profile\",\"subscriber_accounts\":[\"111122223333\"]}"
    }
  }

  assert {
    condition     = aws_sns_topic_subscription.this.topic_arn == "arn:aws:sns:eu-west-1:999988887777:company-profile-v1"
    error_message = "the other account's topic is not subscribed to"
  }

  assert {
    condition     = jsondecode(module.key.policy).Statement[1].Condition == { ArnEquals = { "aws:SourceArn" = ["arn:aws:sns:eu-west-1:999988887777:company-profile-v1"] } }
    error_message = "the key is given to SNS for the wrong account: ${module.key.policy}"
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["age", "dead-letters", "in-flight"]
    error_message = "alarms watch metrics that this account does not have"
  }
}

# What is left out has the defaults that the programs have (module manifest).
run "defaults_of_the_programs" {
  command = plan

  variables {
    service      = jsondecode(file("../manifest/testdata/resolved.json"))["testdata/minimal.yaml"].service
    subscription = yamldecode(file("../manifest/testdata/minimal.yaml")).subscribes[0]
  }

  assert {
    condition = jsonencode({
      topic              = local.declared
      queue              = aws_sqs_queue.this.name
      dead_letter_queue  = aws_sqs_queue.dead.name
      visibility_seconds = format("%.3f", aws_sqs_queue.this.visibility_timeout_seconds)
      handler_seconds    = format("%.3f", output.handler_timeout_seconds)
      max_receive_count  = var.subscription.queue.max_receive_count
      filter_policy      = aws_sns_topic_subscription.this.filter_policy
      }) == jsonencode({ for name, value in jsondecode(file("../manifest/testdata/resolved.json"))["testdata/minimal.yaml"].subscriptions["company.profile/v1"] :
      name => value if !contains(["attributes", "control_table", "replicas"], name)
    })
    error_message = "the module fills in something else than the programs: ${aws_sqs_queue.this.name}, ${aws_sqs_queue.dead.name}, ${aws_sns_topic_subscription.this.filter_policy}"
  }
}
