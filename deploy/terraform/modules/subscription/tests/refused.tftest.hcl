# What `replicactl lint` refuses of a subscription, and what the topic's owner did
# not write down, is refused at plan.

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

run "no_producer_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.prices/v1", attributes = ["price"] }
  }
  expect_failures = [data.aws_ssm_parameters_by_path.topics]
}

run "another_contracts_topic_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", topic = "company-filings-v1", attributes = ["form"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "an_attribute_that_the_contract_lacks_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name", "revenue"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

# Whatever somebody has written there by hand, the plan ends in a sentence of ours.
run "a_parameter_that_is_no_json_is_refused" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.topics[0]
    values = { names = ["/replication/prod/topics/company-profile-v1"], values = ["{"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_parameter_that_is_a_list_is_refused" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.topics[0]
    values = { names = ["/replication/prod/topics/company-profile-v1"], values = ["[1, 2]"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_parameter_that_is_null_is_refused" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.topics[0]
    values = { names = ["/replication/prod/topics/company-profile-v1"], values = ["null"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_parameter_of_nulls_is_refused" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.topics[0]
    values = { names = ["/replication/prod/topics/company-profile-v1"], values = ["{\"arn\":null,\"contract\":null,\"attributes\":null,\"service\":null,\"subscriber_accounts\":null}"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_topic_without_contract_is_refused" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.topics[0]
    values = { names = ["/replication/prod/topics/company-profile-v1"], values = ["{\"arn\":\"arn:aws:sns:eu-west-1:111122223333:company-profile-v1\",\"contract\":null,\"attributes\":null,\"service\":null,\"subscriber_accounts\":null}"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_contract_of_no_attributes_is_refused" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.topics[0]
    values = { names = ["/replication/prod/topics/company-profile-v1"], values = ["{\"arn\":\"arn:aws:sns:eu-west-1:111122223333:company-profile-v1\",\"contract\":\"company.profile/v1\",\"attributes\":[],\"service\":\"profile\",\"subscriber_accounts\":[]}"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_contract_of_null_attributes_is_refused" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.topics[0]
    values = { names = ["/replication/prod/topics/company-profile-v1"], values = ["{\"arn\":\"arn:aws:sns:eu-west-1:111122223333:company-profile-v1\",\"contract\":\"company.profile/v1\",\"attributes\":null,\"service\":\"profile\",\"subscriber_accounts\":null}"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "accounts_that_are_none_are_refused" {
  command = plan
  override_data {
    target = data.aws_ssm_parameters_by_path.topics[0]
    values = { names = ["/replication/prod/topics/company-profile-v1"], values = ["{\"arn\":\"arn:aws:sns:eu-west-1:999988887777:company-profile-v1\",\"contract\":\"company.profile/v1\",\"attributes\":[\"name\",\"sector\"],\"service\":\"profile\",\"subscriber_accounts\":null}"] }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "another_major_version_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v2", attributes = ["name"] }
  }
  expect_failures = [data.aws_ssm_parameters_by_path.topics]
}

run "another_environments_parameter_is_refused" {
  command = plan
  variables {
    topic_parameter_arn = "arn:aws:ssm:eu-west-1:999988887777:parameter/replication/staging/topics/company-profile-v1"
  }
  expect_failures = [var.topic_parameter_arn]
}

run "another_topics_parameter_is_refused" {
  command = plan
  variables {
    topic_parameter_arn = "arn:aws:ssm:eu-west-1:999988887777:parameter/replication/prod/topics/company-filings-v1"
  }
  expect_failures = [var.topic_parameter_arn]
}

run "a_parameter_of_another_region_is_refused" {
  command = plan
  variables {
    topic_parameter_arn = "arn:aws:ssm:us-east-1:999988887777:parameter/replication/prod/topics/company-profile-v1"
  }
  expect_failures = [data.aws_ssm_parameter.topic]
}

run "a_contract_without_version_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile", attributes = ["name"] }
  }
  expect_failures = [var.subscription]
}

run "no_attribute_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = [] }
  }
  expect_failures = [var.subscription]
}

run "an_attribute_twice_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name", "name"] }
  }
  expect_failures = [var.subscription]
}

run "a_filter_of_76_attributes_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = [for i in range(76) : "a${i}"] }
  }
  expect_failures = [var.subscription]
}

run "a_topic_arn_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], topic = "arn:aws:sns:eu-west-1:111122223333:t" }
  }
  expect_failures = [var.subscription]
}

run "a_queue_arn_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { name = "arn:aws:sqs:eu-west-1:111122223333:q" } }
  }
  expect_failures = [var.subscription]
}

run "a_fifo_queue_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { name = "profiles.fifo" } }
  }
  expect_failures = [var.subscription]
}

run "a_queue_that_is_its_own_dead_letter_queue_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { name = "profiles", dead_letter_queue = "profiles" } }
  }
  expect_failures = [aws_sqs_queue.dead]
}

run "a_bare_number_of_seconds_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { visibility_timeout = "30" } }
  }
  expect_failures = [var.subscription]
}

run "a_visibility_of_half_a_second_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { visibility_timeout = "500ms", handler_timeout = "100ms" } }
  }
  expect_failures = [aws_sqs_queue.this]
}

run "a_visibility_of_a_day_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { visibility_timeout = "24h" } }
  }
  expect_failures = [aws_sqs_queue.this]
}

run "a_handler_that_outlives_the_visibility_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { visibility_timeout = "30s", handler_timeout = "30s" } }
  }
  expect_failures = [aws_sqs_queue.this]
}

run "a_handler_without_time_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { handler_timeout = "0s" } }
  }
  expect_failures = [aws_sqs_queue.this]
}

run "no_receive_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { max_receive_count = 0 } }
  }
  expect_failures = [var.subscription]
}

run "more_than_1000_receives_is_refused" {
  command = plan
  variables {
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { max_receive_count = 1001 } }
  }
  expect_failures = [var.subscription]
}

run "a_name_beyond_80_characters_is_refused" {
  command = plan
  variables {
    name_prefix  = "a-prefix-of-thirty-two-characte-"
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { name = "a-queue-of-a-name-that-is-itself-allowed-and-too-long" } }
  }
  expect_failures = [aws_sqs_queue.dead]
}

run "a_queue_name_beyond_80_characters_is_refused" {
  command = plan
  variables {
    name_prefix  = "a-prefix-of-thirty-two-characte-"
    subscription = { contract = "company.profile/v1", attributes = ["name"], queue = { name = "a-queue-of-a-name-that-is-itself-allowed-and-too-long", dead_letter_queue = "dead" } }
  }
  expect_failures = [aws_sqs_queue.this]
}

run "an_account_that_is_not_listed_is_refused" {
  command = plan
  variables {
    topic_parameter_arn = "arn:aws:ssm:eu-west-1:999988887777:parameter/replication/prod/topics/company-profile-v1"
  }
  override_data {
    target = data.aws_ssm_parameter.topic[0]
    values = { value = "{\"arn\":\"arn:aws:sns:eu-west-1:999988887777:company-profile-v1\",\"attributes\":[\"name\",\"sector\"],\"contract\":\"company.profile/v1\",\"service\":\"profile\",\"subscriber_accounts\":[]}" }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_topic_of_another_region_is_refused" {
  command = plan
  variables {
    topic_parameter_arn = "arn:aws:ssm:eu-west-1:999988887777:parameter/replication/prod/topics/company-profile-v1"
  }
  override_data {
    target = data.aws_ssm_parameter.topic[0]
    values = { value = "{\"arn\":\"arn:aws:sns:us-east-1:999988887777:company-profile-v1\",\"attributes\":[\"name\",\"sector\"],\"contract\":\"company.profile/v1\",\"service\":\"profile\",\"subscriber_accounts\":[\"111122223333\"]}" }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_parameter_of_something_else_is_refused" {
  command = plan
  variables {
    topic_parameter_arn = "arn:aws:ssm:eu-west-1:999988887777:parameter/replication/prod/topics/company-profile-v1"
  }
  override_data {
    target = data.aws_ssm_parameter.topic[0]
    values = { value = "42" }
  }
  expect_failures = [aws_sns_topic_subscription.this]
}

run "a_parameter_by_name_is_refused" {
  command = plan
  variables {
    topic_parameter_arn = "/replication/prod/topics/company-profile-v1"
  }
  expect_failures = [var.topic_parameter_arn]
}

run "an_alarm_after_the_messages_are_gone_is_refused" {
  command = plan
  variables {
    age_threshold_seconds = 345600
  }
  expect_failures = [var.age_threshold_seconds]
}

run "the_audience_of_everybody_is_refused" {
  command = plan
  variables {
    service = "all"
  }
  expect_failures = [var.service]
}
