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

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-west-1:111122223333:company-profile-v1" }
}

mock_resource "aws_ssm_parameter" {
  defaults = { arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/replication/prod/topics/company-profile-v1" }
}

mock_resource "aws_ram_resource_share" {
  defaults = { arn = "arn:aws:ram:eu-west-1:111122223333:resource-share/0a1b2c3d" }
}
