# What `replicactl lint` refuses of a publication, and what would lose records, is
# refused at plan.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  env     = "prod"
  service = "profile"
  publication = {
    contract = "company.profile/v1"
    table    = "companies"
    key      = { cik = "{cik}" }
  }
  table = {
    name          = "companies"
    arn           = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies"
    stream_arn    = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies/stream/2026-11-20T00:00:00.000"
    ttl_attribute = "expiresAt"
    kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/0000table"
    key_types     = { cik = "S" }
  }
  topic_arn         = "arn:aws:sns:eu-west-1:111122223333:company-profile-v1"
  topic_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/0000topic"
  package           = { path = "versions.tf" } # any file: nothing looks into it here
  alarm_topic_arns  = ["arn:aws:sns:eu-west-1:111122223333:oncall"]
}

run "a_contract_without_version_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile", key = { cik = "{cik}" } }
  }
  expect_failures = [var.publication]
}

run "an_empty_match_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, match = { kind = { equals = "" } } }
  }
  expect_failures = [var.publication]
}

run "a_topic_arn_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, topic = "arn:aws:sns:eu-west-1:111122223333:t" }
  }
  expect_failures = [var.publication]
}

run "a_fifo_topic_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, topic = "t.fifo" }
  }
  expect_failures = [var.publication]
}

run "a_queue_arn_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, dead_letter_queue = "arn:aws:sqs:eu-west-1:111122223333:q" }
  }
  expect_failures = [var.publication]
}

run "a_queue_name_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, dead_letter_queue = "dead letters" }
  }
  expect_failures = [var.publication]
}

run "a_key_that_captures_nothing_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "COMPANY" } }
  }
  expect_failures = [var.publication]
}

run "a_key_of_braces_alone_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{{cik}}" } }
  }
  expect_failures = [var.publication]
}

run "no_key_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = {} }
  }
  expect_failures = [var.publication]
}

run "a_match_of_two_conditions_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, match = { kind = { prefix = "a", equals = "b" } } }
  }
  expect_failures = [var.publication]
}

run "a_match_of_none_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, match = { kind = {} } }
  }
  expect_failures = [var.publication]
}

run "a_version_that_is_the_key_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { version = "{cik}" } }
  }
  expect_failures = [var.publication]
}

run "a_key_that_the_table_lacks_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { pk = "{cik}" } }
  }
  expect_failures = [aws_lambda_function.this]
}

run "a_version_whose_tombstones_do_not_expire_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, version_attribute = "profileVersion" }
  }
  expect_failures = [aws_lambda_function.this]
}

run "another_topic_than_the_manifests_is_refused" {
  command = plan
  variables {
    publication = { contract = "company.profile/v1", key = { cik = "{cik}" }, topic = "profiles" }
  }
  expect_failures = [aws_lambda_function.this]
}

run "a_table_without_a_stream_is_refused" {
  command = plan
  variables {
    table = {
      name          = "companies"
      arn           = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies"
      stream_arn    = null
      ttl_attribute = "expiresAt"
      kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/0000table"
      key_types     = { cik = "S" }
    }
  }
  expect_failures = [var.table]
}

run "a_binary_key_is_refused" {
  command = plan
  variables {
    table = {
      name          = "companies"
      arn           = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies"
      stream_arn    = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies/stream/2026-11-20T00:00:00.000"
      ttl_attribute = "expiresAt"
      kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/0000table"
      key_types     = { cik = "B" }
    }
  }
  expect_failures = [var.table]
}

run "a_table_that_keeps_its_tombstones_is_refused" {
  command = plan
  variables {
    table = {
      name          = "companies"
      arn           = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies"
      stream_arn    = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies/stream/2026-11-20T00:00:00.000"
      ttl_attribute = null
      kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/0000table"
      key_types     = { cik = "S" }
    }
  }
  expect_failures = [aws_lambda_function.this]
}

run "a_fifo_topic_arn_is_refused" {
  command = plan
  variables {
    topic_arn = "arn:aws:sns:eu-west-1:111122223333:t.fifo"
  }
  expect_failures = [var.topic_arn]
}

run "two_packages_is_refused" {
  command = plan
  variables {
    package = { path = "versions.tf", s3_bucket = "artifacts", s3_key = "relay.zip", sha256 = "x" }
  }
  expect_failures = [var.package]
}

run "no_package_is_refused" {
  command = plan
  variables {
    package = {}
  }
  expect_failures = [var.package]
}

run "a_package_in_s3_without_its_sum_is_refused" {
  command = plan
  variables {
    package = { s3_bucket = "artifacts", s3_key = "relay.zip" }
  }
  expect_failures = [var.package]
}

run "a_package_that_is_not_there_is_refused" {
  command = plan
  variables {
    package = { path = "bin/nothing.zip" }
  }
  expect_failures = [var.package]
}

run "another_topic_by_the_environment_is_refused" {
  command = plan
  variables {
    environment = { TOPIC_ARN = "arn:aws:sns:eu-west-1:111122223333:other" }
  }
  expect_failures = [var.environment]
}

run "retries_without_a_bound_is_refused" {
  command = plan
  variables {
    mapping = { max_retries = -1 }
  }
  expect_failures = [var.mapping]
}

run "an_age_without_a_bound_is_refused" {
  command = plan
  variables {
    mapping = { max_age_seconds = -1 }
  }
  expect_failures = [var.mapping]
}

run "an_age_beyond_the_stream_is_refused" {
  command = plan
  variables {
    mapping = { max_age_seconds = 86400 }
  }
  expect_failures = [var.mapping]
}

run "eleven_batches_at_a_time_is_refused" {
  command = plan
  variables {
    mapping = { parallelization = 11 }
  }
  expect_failures = [var.mapping]
}

run "a_window_of_an_hour_is_refused" {
  command = plan
  variables {
    mapping = { window_seconds = 3600 }
  }
  expect_failures = [var.mapping]
}

run "a_concurrency_of_none_is_refused" {
  command = plan
  variables {
    reserved_concurrency = 0
  }
  expect_failures = [var.reserved_concurrency]
}

run "a_timeout_of_a_second_is_refused" {
  command = plan
  variables {
    timeout_seconds = 1
  }
  expect_failures = [var.timeout_seconds]
}

run "failed_records_for_a_week_is_refused" {
  command = plan
  variables {
    failed_records_days = 7
  }
  expect_failures = [var.failed_records_days]
}

run "logs_for_ever_is_refused" {
  command = plan
  variables {
    log_retention_days = 0
  }
  expect_failures = [var.log_retention_days]
}

run "an_alarm_after_the_records_are_gone_is_refused" {
  command = plan
  variables {
    iterator_age_threshold_seconds = 86400
  }
  expect_failures = [var.iterator_age_threshold_seconds]
}

run "a_queue_name_beyond_80_characters_is_refused" {
  command = plan
  variables {
    service = "a-service-whose-name-is-so-long-that-no-function-can-have-it"
  }
  expect_failures = [aws_sqs_queue.dead]
}
