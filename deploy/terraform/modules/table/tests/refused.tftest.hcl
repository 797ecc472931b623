# What `replicactl lint` refuses of a table is refused at plan, too.

mock_provider "aws" {}

variables {
  env         = "prod"
  service     = "profile"
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1b4f2c1e-8f1d-4f86-9f0a-3b1f6a7c0d11"
  table = {
    name          = "companies"
    partition_key = { name = "cik", type = "S" }
    stream        = true
    ttl_attribute = "expiresAt"
  }
}

run "an_arn_is_refused" {
  command = plan
  variables {
    table = { name = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies", partition_key = { name = "cik", type = "S" } }
  }
  expect_failures = [var.table]
}

run "a_short_name_is_refused" {
  command = plan
  variables {
    table = { name = "ab", partition_key = { name = "cik", type = "S" } }
  }
  expect_failures = [var.table]
}

run "a_key_of_no_type_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "BOOL" } }
  }
  expect_failures = [var.table]
}

run "a_key_without_name_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "", type = "S" } }
  }
  expect_failures = [var.table]
}

run "a_sort_key_that_is_the_partition_key_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, sort_key = { name = "cik", type = "S" } }
  }
  expect_failures = [var.table]
}

run "an_attribute_of_two_types_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, indexes = [{ name = "by-cik", partition_key = { name = "cik", type = "N" } }] }
  }
  expect_failures = [var.table]
}

run "two_indexes_of_one_name_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, indexes = [{ name = "by-day", partition_key = { name = "day", type = "S" } }, { name = "by-day", partition_key = { name = "rank", type = "N" } }] }
  }
  expect_failures = [var.table]
}

run "an_index_name_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, indexes = [{ name = "by day", partition_key = { name = "day", type = "S" } }] }
  }
  expect_failures = [var.table]
}

run "an_unknown_projection_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, indexes = [{ name = "by-day", partition_key = { name = "day", type = "S" }, projection = "some" }] }
  }
  expect_failures = [var.table]
}

run "an_include_beside_all_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, indexes = [{ name = "by-day", partition_key = { name = "day", type = "S" }, include = ["name"] }] }
  }
  expect_failures = [var.table]
}

run "an_include_of_a_key_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, indexes = [{ name = "by-day", partition_key = { name = "day", type = "S" }, projection = "keys_only", include = ["cik"] }] }
  }
  expect_failures = [var.table]
}

run "an_include_twice_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, indexes = [{ name = "by-day", partition_key = { name = "day", type = "S" }, projection = "keys_only", include = ["name", "name"] }] }
  }
  expect_failures = [var.table]
}

run "a_ttl_on_a_text_key_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, ttl_attribute = "cik" }
  }
  expect_failures = [var.table]
}

run "more_than_20_indexes_is_refused" {
  command = plan
  variables {
    table = { name = "companies", partition_key = { name = "cik", type = "S" }, indexes = [for i in range(21) : { name = "by-${i + 100}", partition_key = { name = "day", type = "S" } }] }
  }
  expect_failures = [var.table]
}

run "an_alias_for_a_key_is_refused" {
  command = plan
  variables {
    kms_key_arn = "alias/profile"
  }
  expect_failures = [var.kms_key_arn]
}

run "an_environment_is_refused" {
  command = plan
  variables {
    env = "Prod"
  }
  expect_failures = [var.env]
}

run "the_audience_of_everybody_is_refused" {
  command = plan
  variables {
    service = "all"
  }
  expect_failures = [var.service]
}

run "a_prefix_is_refused" {
  command = plan
  variables {
    name_prefix = "staging."
  }
  expect_failures = [var.name_prefix]
}

run "an_alarm_that_always_rings_is_refused" {
  command = plan
  variables {
    throttle_threshold = 0
  }
  expect_failures = [var.throttle_threshold]
}
