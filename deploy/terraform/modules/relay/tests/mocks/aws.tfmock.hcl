# Every run's account, and what resources in it are called.

mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { name = "eu-west-1" }
}

mock_resource "aws_kms_key" {
  defaults = {
    arn    = "arn:aws:kms:eu-west-1:111122223333:key/1b4f2c1e-8f1d-4f86-9f0a-3b1f6a7c0d11"
    key_id = "1b4f2c1e-8f1d-4f86-9f0a-3b1f6a7c0d11"
  }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/profile-company-profile-v1-relay" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:profile-company-profile-v1-relay", version = "7" }
}

mock_resource "aws_lambda_alias" {
  defaults = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:profile-company-profile-v1-relay:live" }
}

mock_resource "aws_lambda_event_source_mapping" {
  defaults = { uuid = "6d2f1c9a-0000-4000-8000-000000000001" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:eu-west-1:111122223333:profile-company-profile-v1-relay-dlq", url = "https://sqs.eu-west-1.amazonaws.com/111122223333/profile-company-profile-v1-relay-dlq" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::profile-company-profile-v1-relay-111122223333-eu-west-1", id = "profile-company-profile-v1-relay-111122223333-eu-west-1" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/profile-company-profile-v1-relay" }
}
