# Without the producer the plan fails, and says what to do.

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
    defaults = { names = [], values = [] }
  }
}

variables {
  env       = "test"
  region    = "eu-west-1"
  protected = false
  image     = "registry.example.com/stats@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  network = {
    subnet_ids         = ["subnet-a", "subnet-b"]
    security_group_ids = ["sg-a"]
  }
}

run "nobody_publishes_the_contract" {
  command = plan

  module {
    source = "../../modules/subscription"
  }

  variables {
    service = "stats"
    subscription = {
      contract   = "company.profile/v1"
      attributes = ["name", "sector"]
    }
  }

  expect_failures = [data.aws_ssm_parameters_by_path.topics]
}
