# From a manifest to a whole subscriber: what AWS would be told, and what the
# tasks may do.

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
  mock_data "aws_ssm_parameters_by_path" {
    defaults = {
      names = ["/replication/test/topics/company-profile-v1"]
      values = [
        "{\"arn\":\"arn:aws:sns:eu-west-1:123456789012:company-profile-v1\",\"attributes\":[\"name\",\"sector\"],\"contract\":\"company.profile/v1\",\"kms_key_arn\":\"arn:aws:kms:eu-west-1:123456789012:key/topic\",\"service\":\"profile\",\"subscriber_accounts\":[]}",
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
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/mocked", key_id = "mocked" }
  }
}

override_resource {
  target = module.subscription["company.profile/v1"].aws_sqs_queue.this
  values = { arn = "arn:aws:sqs:eu-west-1:123456789012:news-company-profile-v1" }
}

override_resource {
  target = module.subscription["company.profile/v1"].aws_sqs_queue.dead
  values = { arn = "arn:aws:sqs:eu-west-1:123456789012:news-company-profile-v1-dlq" }
}

variables {
  env              = "test"
  image            = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tributary/news@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  protected        = false
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  network = {
    subnet_ids         = ["subnet-a", "subnet-b"]
    security_group_ids = ["sg-a"]
  }
  manifest = file("./testdata/news.yaml")
}

run "everything_of_the_manifest" {
  command = apply

  assert {
    condition     = output.queues == { "company.profile/v1" = { queue = "news-company-profile-v1", dead_letters = "news-company-profile-v1-dlq" } }
    error_message = "The queues are not those that the program looks for."
  }
  assert {
    condition = output.table_arns == {
      news-company-profile     = "arn:aws:dynamodb:eu-west-1:123456789012:table/news-company-profile"
      news-replication-control = "arn:aws:dynamodb:eu-west-1:123456789012:table/news-replication-control"
    }
    error_message = "The tables are not the manifest's and the control table that it leaves out."
  }
  assert {
    condition     = { for e in output.container.environment : e.name => e.value }["HEALTH_ADDR"] == ":8090" && output.container.stopTimeout == 60
    error_message = "The program listens elsewhere, or is killed while its messages drain."
  }
  assert {
    condition     = output.cluster == "test-news/news" || output.cluster == "test-news/test-news"
    error_message = "The cluster is not named after environment and service."
  }
  assert {
    condition     = toset(module.consumer.rollback_alarms) == toset(["test-news-logged-errors", "test-news-rejected", "news-company-profile-v1-age"])
    error_message = "A version that falls behind or sets messages aside is not put back."
  }
}

run "rights" {
  command = apply

  variables {
    task_statements = [{ sid = "Mail", actions = ["ses:SendEmail"], resources = ["arn:aws:ses:eu-west-1:123456789012:identity/example.com"] }]
  }

  assert {
    condition = { for s in jsondecode(output.task_policy).Statement : s.Sid => {
      actions   = s.Action
      resources = [for r in s.Resource : trimprefix(r, "arn:aws:")]
      } } == {
      QueueCompanyProfileV1 = {
        actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:SendMessage"]
        resources = ["sqs:eu-west-1:123456789012:news-company-profile-v1"]
      }
      DeadLettersCompanyProfileV1 = {
        actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
        resources = ["sqs:eu-west-1:123456789012:news-company-profile-v1-dlq"]
      }
      QueueKeyCompanyProfileV1 = {
        actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
        resources = ["kms:eu-west-1:123456789012:key/mocked"]
      }
      Copies = {
        actions   = ["dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:UpdateItem"]
        resources = ["dynamodb:eu-west-1:123456789012:table/news-company-profile"]
      }
      Canaries = {
        actions   = ["dynamodb:PutItem"]
        resources = ["dynamodb:eu-west-1:123456789012:table/news-replication-control"]
      }
      Mail = {
        actions   = ["ses:SendEmail"]
        resources = ["ses:eu-west-1:123456789012:identity/example.com"]
      }
      TablesAtRest = {
        actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        resources = ["kms:eu-west-1:123456789012:key/mocked"]
      }
    }
    error_message = "The tasks may do more, or less, than the program does."
  }
}

# Every kind of replica has the rights that the library needs for it.
run "a_fan_out" {
  command = apply

  variables {
    manifest = file("./testdata/fan_out.yaml")
  }

  assert {
    condition = { for s in jsondecode(output.task_policy).Statement : s.Sid => [for r in s.Resource : trimprefix(r, "arn:aws:dynamodb:eu-west-1:123456789012:table/")] if startswith(s.Resource[0], "arn:aws:dynamodb:") } == {
      Copies           = ["news-articles", "news-companies"]
      FanOuts          = ["news-articles/index/by-cik"]
      CopiesOfNewItems = ["news-companies"]
      NewItems         = ["news-articles"]
      Canaries         = ["news-replication-control"]
    }
    error_message = "The rights are not those of an item replica and a fan-out."
  }
}

run "a_load_balancer" {
  command = apply

  variables {
    load_balancer = { target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/news/0123456789abcdef", port = 9000 }
  }

  assert {
    condition     = { for e in output.container.environment : e.name => e.value }["HEALTH_ADDR"] == ":9000" && output.container.portMappings[0].containerPort == 9000
    error_message = "The load balancer reaches another port than the program listens at."
  }
}

run "a_publisher_is_refused" {
  command = plan

  variables {
    manifest = file("../../../../services/profile/replication.yaml")
  }

  expect_failures = [var.manifest]
}

run "a_topic_of_another_account_is_read_by_its_arn" {
  command = plan

  variables {
    topic_parameter_arns = { "company.profile/v1" = "arn:aws:ssm:eu-west-1:999988887777:parameter/replication/test/topics/company-profile-v1" }
  }

  override_data {
    target = module.subscription["company.profile/v1"].data.aws_ssm_parameter.topic
    values = {
      value = "{\"arn\":\"arn:aws:sns:eu-west-1:999988887777:company-profile-v1\",\"attributes\":[\"name\",\"sector\"],\"contract\":\"company.profile/v1\",\"service\":\"profile\",\"subscriber_accounts\":[\"123456789012\"]}"
    }
  }

  assert {
    condition     = output.topics == { "company.profile/v1" = "arn:aws:sns:eu-west-1:999988887777:company-profile-v1" }
    error_message = "it subscribes to ${jsonencode(output.topics)}"
  }
}

run "a_parameter_of_no_subscription_is_refused" {
  command = plan

  variables {
    topic_parameter_arns = { "company.filing/v1" = "arn:aws:ssm:eu-west-1:999988887777:parameter/replication/test/topics/company-filing-v1" }
  }
  expect_failures = [var.topic_parameter_arns]
}
