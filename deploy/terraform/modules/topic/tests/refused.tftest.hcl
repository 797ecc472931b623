# What `replicactl lint` refuses of a publication, and what would open the topic.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  env     = "prod"
  service = "profile"
  publication = {
    contract   = "company.profile/v1"
    attributes = ["sector", "name", "tickers"]
  }
  publisher_role_arn = "arn:aws:iam::111122223333:role/profile-company-profile-v1-relay"
  alarm_topic_arns   = ["arn:aws:sns:eu-west-1:111122223333:oncall"]
}

run "a_contract_without_version_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile", attributes = ["name"] }
  }
  expect_failures = [var.publication]
}

run "a_topic_arn_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", attributes = ["name"], topic = "arn:aws:sns:eu-west-1:111122223333:t" }
  }
  expect_failures = [var.publication]
}

run "a_fifo_topic_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", attributes = ["name"], topic = "company-profile-v1.fifo" }
  }
  expect_failures = [var.publication]
}

run "a_contract_of_no_attributes_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", attributes = [] }
  }
  expect_failures = [var.publication]
}

run "an_attribute_twice_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", attributes = ["name", "name"] }
  }
  expect_failures = [var.publication]
}

run "every_role_as_publisher_is_refused" {
  command = plan
  variables {
    publisher_role_arn = "arn:aws:iam::111122223333:role/*"
  }
  expect_failures = [var.publisher_role_arn]
}

run "a_session_as_publisher_is_refused" {
  command = plan
  variables {
    publisher_role_arn = "arn:aws:sts::111122223333:assumed-role/relay/session"
  }
  expect_failures = [var.publisher_role_arn]
}

run "every_role_as_operator_is_refused" {
  command = plan
  variables {
    operator_role_arns = ["arn:aws:iam::111122223333:role/*"]
  }
  expect_failures = [var.operator_role_arns]
}

run "every_account_is_refused" {
  command = plan
  variables {
    subscriber_accounts = ["*"]
  }
  expect_failures = [var.subscriber_accounts]
}

run "more_accounts_than_a_policy_holds_are_refused" {
  command = plan
  variables {
    subscriber_accounts = [for i in range(90) : format("4444%08d", i)]
  }
  expect_failures = [aws_sns_topic_policy.this]
}

run "a_contract_that_no_parameter_holds_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", attributes = [for i in range(500) : "an-attribute-${i}"] }
  }
  expect_failures = [aws_ssm_parameter.this]
}

run "an_environment_is_refused" {
  command = plan
  variables {
    env = "prod/eu"
  }
  expect_failures = [var.env]
}
