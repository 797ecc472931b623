# From the manifest to what AWS would be told: filter policy, redrive, tables,
# and the rights of the tasks.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  # What the module topic of services/profile writes.
  mock_data "aws_ssm_parameters_by_path" {
    defaults = {
      names = ["/replication/test/topics/company-profile-v1"]
      values = [
        "{\"arn\":\"arn:aws:sns:eu-west-1:123456789012:company-profile-v1\",\"attributes\":[\"dateAdded\",\"founded\",\"headquarters\",\"name\",\"sector\",\"subIndustry\",\"tickers\"],\"contract\":\"company.profile/v1\",\"kms_key_arn\":\"arn:aws:kms:eu-west-1:123456789012:key/topic\",\"service\":\"profile\",\"subscriber_accounts\":[]}",
      ]
    }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/mocked" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/mocked:1" }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:mocked" }
  }
  mock_resource "aws_sns_topic_subscription" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:company-profile-v1:mocked" }
  }
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/mocked" }
  }
}

override_resource {
  target = module.subscriber.module.key.aws_kms_key.this
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/service", key_id = "service" }
}

override_resource {
  target = module.subscriber.module.subscription["company.profile/v1"].module.key.aws_kms_key.this
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/queues", key_id = "queues" }
}

override_resource {
  target = module.subscriber.module.subscription["company.profile/v1"].aws_sqs_queue.this
  values = { arn = "arn:aws:sqs:eu-west-1:123456789012:stats-company-profile-v1" }
}

override_resource {
  target = module.subscriber.module.subscription["company.profile/v1"].aws_sqs_queue.dead
  values = { arn = "arn:aws:sqs:eu-west-1:123456789012:stats-company-profile-v1-dlq" }
}

variables {
  env       = "test"
  region    = "eu-west-1"
  protected = false
  image     = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tributary/stats@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  network = {
    subnet_ids         = ["subnet-a", "subnet-b"]
    security_group_ids = ["sg-a"]
  }
}

run "subscriptions" {
  command = apply

  assert {
    condition     = module.subscriber.queues == { "company.profile/v1" = { queue = "stats-company-profile-v1", dead_letters = "stats-company-profile-v1-dlq" } }
    error_message = "The queues have other names than the program looks for."
  }
}

# What the module makes of the manifest's entry, as the root hands it over.
run "filter_policy_and_redrive" {
  command = apply

  module {
    source = "../../modules/subscription"
  }

  variables {
    service      = "stats"
    subscription = yamldecode(file("../../../../services/stats/replication.yaml")).subscribes[0]
  }

  assert {
    condition = jsondecode(aws_sns_topic_subscription.this.filter_policy) == {
      audience = ["all", "stats"]
      changed  = ["name", "sector"]
    }
    error_message = "The filter policy is not the manifest's attributes, for everybody or for stats."
  }
  assert {
    condition     = output.visibility_timeout_seconds == 30 && output.handler_timeout_seconds == 20
    error_message = "The timeouts are not the manifest's."
  }
  assert {
    condition     = output.topic_arn == "arn:aws:sns:eu-west-1:123456789012:company-profile-v1"
    error_message = "It subscribes to another topic than the one that its owner has written down."
  }
  assert {
    condition     = aws_sns_topic_subscription.this.raw_message_delivery && jsondecode(aws_sns_topic_subscription.this.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead.arn
    error_message = "Messages come wrapped, or what SNS cannot deliver is lost."
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 10 }
    error_message = "Messages are not set aside after the manifest's ten attempts."
  }
  assert {
    condition     = aws_sqs_queue.this.message_retention_seconds == 4 * 86400 && aws_sqs_queue.dead.message_retention_seconds == 14 * 86400
    error_message = "Dead letters do not outlive the queue's messages."
  }
  assert {
    condition = [for s in jsondecode(aws_sqs_queue_policy.this["queue"].policy).Statement : s.Condition if s.Effect == "Allow"] == [
      { ArnEquals = { "aws:SourceArn" = "arn:aws:sns:eu-west-1:123456789012:company-profile-v1" } },
    ]
    error_message = "Others than the one topic may send to the queue."
  }
}

run "tables" {
  command = apply

  assert {
    condition     = { for name, arn in module.subscriber.table_arns : name => split("/", arn)[1] } == { for name in ["company-stats", "statistics", "stats-replication-control", "watchlists"] : name => name }
    error_message = "The tables are not the manifest's, under the names that the program looks for."
  }
}

run "rights" {
  command = apply

  assert {
    condition = { for s in jsondecode(module.subscriber.task_policy).Statement : s.Sid => {
      actions   = s.Action
      resources = [for r in s.Resource : trimprefix(r, "arn:aws:")]
      } } == {
      QueueCompanyProfileV1 = {
        actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:SendMessage"]
        resources = ["sqs:eu-west-1:123456789012:stats-company-profile-v1"]
      }
      DeadLettersCompanyProfileV1 = {
        actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
        resources = ["sqs:eu-west-1:123456789012:stats-company-profile-v1-dlq"]
      }
      QueueKeyCompanyProfileV1 = {
        actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
        resources = ["kms:eu-west-1:123456789012:key/queues"]
      }
      Copies = {
        actions   = ["dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:UpdateItem"]
        resources = ["dynamodb:eu-west-1:123456789012:table/company-stats", "dynamodb:eu-west-1:123456789012:table/watchlists"]
      }
      FanOuts = {
        actions   = ["dynamodb:Query"]
        resources = ["dynamodb:eu-west-1:123456789012:table/watchlists/index/by-cik"]
      }
      CopiesOfNewItems = {
        actions   = ["dynamodb:ConditionCheckItem"]
        resources = ["dynamodb:eu-west-1:123456789012:table/company-stats"]
      }
      NewItems = {
        actions   = ["dynamodb:PutItem"]
        resources = ["dynamodb:eu-west-1:123456789012:table/watchlists"]
      }
      Canaries = {
        actions   = ["dynamodb:PutItem"]
        resources = ["dynamodb:eu-west-1:123456789012:table/stats-replication-control"]
      }
      Companies = {
        actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"]
        resources = ["dynamodb:eu-west-1:123456789012:table/company-stats"]
      }
      Leaderboards = {
        actions   = ["dynamodb:Query"]
        resources = ["dynamodb:eu-west-1:123456789012:table/company-stats/index/by-sector"]
      }
      Statistics = {
        actions   = ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"]
        resources = ["dynamodb:eu-west-1:123456789012:table/statistics"]
      }
      Watchlists = {
        actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query"]
        resources = ["dynamodb:eu-west-1:123456789012:table/watchlists"]
      }
      TablesAtRest = {
        actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        resources = ["kms:eu-west-1:123456789012:key/service"]
      }
    }
    error_message = "The tasks may do more, or less, than the program does."
  }
  assert {
    condition = { for s in jsondecode(module.subscriber.task_policy).Statement : s.Sid => s.Condition.StringEquals["kms:ViaService"] if can(s.Condition) } == {
      QueueKeyCompanyProfileV1 = ["sqs.eu-west-1.amazonaws.com"]
      TablesAtRest             = ["dynamodb.eu-west-1.amazonaws.com"]
    }
    error_message = "A key can be used for other things than queues and tables."
  }
}

run "tasks" {
  command = apply

  variables {
    target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/stats/0123456789abcdef"
  }

  assert {
    condition = { for e in module.subscriber.container.environment : e.name => e.value } == {
      AWS_REGION = "eu-west-1", DRAIN_TIMEOUT = "20s", GOMEMLIMIT = "921MiB", STATS_ADDR = ":8082",
    }
    error_message = "The program is configured otherwise."
  }
  assert {
    condition     = module.subscriber.container.stopTimeout >= 2 * 20 + 15
    error_message = "A task is killed while its requests or its messages drain."
  }
  assert {
    condition     = module.subscriber.container.portMappings[0].containerPort == 8082
    error_message = "The load balancer reaches another port than the program listens at."
  }
  assert {
    condition     = toset(module.subscriber.rollback_alarms) == toset(["test-stats-logged-errors", "test-stats-rejected", "stats-company-profile-v1-age"])
    error_message = "A version that falls behind or sets messages aside is not put back."
  }
}

run "an_environment_in_capitals" {
  command = plan

  variables {
    env = "Prod"
  }

  expect_failures = [var.env]
}
