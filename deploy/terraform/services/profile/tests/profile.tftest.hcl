# From the manifest to what AWS would be told: the topic and who may publish to
# it, the stream and the relay, and the rights of the API.

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
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:mocked", version = "1" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:mocked:live" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mocked" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:profile-company-profile-v1-relay-dlq" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:company-profile-v1" }
  }
  mock_resource "aws_dynamodb_table" {
    defaults = {
      arn        = "arn:aws:dynamodb:eu-west-1:123456789012:table/companies"
      stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/companies/stream/2026-01-01T00:00:00.000"
    }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/mocked", key_id = "mocked" }
  }
  mock_resource "aws_ram_resource_share" {
    defaults = { arn = "arn:aws:ram:eu-west-1:123456789012:resource-share/mocked" }
  }
  mock_resource "aws_ssm_parameter" {
    defaults = { arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/replication/test/topics/company-profile-v1" }
  }
}

override_resource {
  target = module.key.aws_kms_key.this
  values = { arn = "arn:aws:kms:eu-west-1:123456789012:key/service", key_id = "service" }
}

override_resource {
  target = module.relay["company.profile/v1"].aws_iam_role.this
  values = { arn = "arn:aws:iam::123456789012:role/profile-company-profile-v1-relay" }
}

variables {
  env           = "test"
  region        = "eu-west-1"
  protected     = false
  image         = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tributary/profile@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  relay_package = { s3_bucket = "packages", s3_key = "profile-relay.zip", sha256 = "AAAA" }
  network = {
    subnet_ids         = ["subnet-a", "subnet-b"]
    security_group_ids = ["sg-a"]
  }
}

run "root" {
  command = apply

  assert {
    condition     = toset(keys(module.table)) == toset(["companies", "profile-relay-checkpoints"]) && alltrue([for name, t in module.table : t.name == name])
    error_message = "The tables are not the manifest's, under the names that the programs look for."
  }
  assert {
    condition     = module.table["companies"].stream_arn != null && module.table["profile-relay-checkpoints"].stream_arn == null
    error_message = "The stream is not on at the published table alone."
  }
  assert {
    condition     = module.topic["company.profile/v1"].name == "company-profile-v1" && module.topic["company.profile/v1"].parameter_name == "/replication/test/topics/company-profile-v1"
    error_message = "Subscribers do not find the topic."
  }
  assert {
    condition     = local.contract_attributes["company.profile/v1"] == ["dateAdded", "founded", "headquarters", "name", "sector", "subIndustry", "tickers"]
    error_message = "Subscribers are told other attributes than the contract has."
  }
  assert {
    condition     = module.relay["company.profile/v1"].dlq_name == "profile-company-profile-v1-relay-dlq"
    error_message = "The relay's dead-letter queue has another name than the manifest gives it."
  }
  assert {
    condition     = module.relay["company.profile/v1"].role_arn == local.relay_roles["company.profile/v1"]
    error_message = "The topic lets another role publish than the relay's."
  }
  assert {
    condition = { for s in jsondecode(module.api.task_policy).Statement : s.Sid => { actions = s.Action, resources = s.Resource } } == {
      Items = {
        actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:UpdateItem"]
        resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/companies"]
      }
      TablesAtRest = {
        actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        resources = ["arn:aws:kms:eu-west-1:123456789012:key/service"]
      }
    }
    error_message = "The API may do more, or less, than it does."
  }
  assert {
    condition     = { for e in module.api.container.environment : e.name => e.value }["PROFILE_ADDR"] == ":8081" && length(module.api.container.portMappings) == 0
    error_message = "The API listens elsewhere, or is reached without a load balancer."
  }
  assert {
    condition = one([for s in jsondecode(module.key.policy).Statement : s.Condition if s.Sid == "OnlyTheseLogGroups"]) == {
      ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = ["arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/test/profile"] }
    }
    error_message = "CloudWatch Logs may use the key for other log groups."
  }
}

# The topic as the root hands it over.
run "topic" {
  command = apply

  module {
    source = "../../modules/topic"
  }

  variables {
    service = "profile"
    publication = {
      contract   = yamldecode(file("../../../../services/profile/replication.yaml")).publishes[0].contract
      topic      = yamldecode(file("../../../../services/profile/replication.yaml")).publishes[0].topic
      attributes = keys(jsondecode(file("../../../../pkg/contracts/schema/company.profile.v1.json")).properties.attributes.properties)
    }
    publisher_role_arn  = "arn:aws:iam::123456789012:role/profile-company-profile-v1-relay"
    subscriber_accounts = ["210987654321"]
  }

  assert {
    condition = one([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : s if s.Effect == "Deny" && s.Action == ["sns:Publish"]]).Condition == {
      ArnNotEquals = { "aws:PrincipalArn" = ["arn:aws:iam::123456789012:role/profile-company-profile-v1-relay"] }
    }
    error_message = "Others than the relay may publish."
  }
  assert {
    condition = [for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : s.Principal.AWS if s.Effect == "Allow" && s.Action == ["sns:Subscribe"]] == [
      "arn:aws:iam::210987654321:root",
    ]
    error_message = "Other accounts than those listed may subscribe."
  }
  assert {
    condition = one([for s in jsondecode(aws_sns_topic_policy.this.policy).Statement : s if s.Sid == "OnlyTLS"]).Condition == {
      Bool = { "aws:SecureTransport" = "false" }
    }
    error_message = "The topic is reached without TLS."
  }
  assert {
    condition     = jsondecode(aws_ssm_parameter.this.value).attributes == ["dateAdded", "founded", "headquarters", "name", "sector", "subIndustry", "tickers"]
    error_message = "Subscribers are told other attributes than the contract has."
  }
}

run "an_environment_in_capitals" {
  command = plan

  variables {
    env = "Prod"
  }

  expect_failures = [var.env]
}
