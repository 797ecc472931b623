# A table as the manifest has it: encrypted, restorable, and kept.

mock_provider "aws" {
  mock_resource "aws_dynamodb_table" {
    defaults = {
      arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies"
      stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies/stream/2026-11-20T00:00:00.000"
    }
  }
}

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

run "source" {
  command = apply

  variables {
    # A guard could not be taken down again at this test's end; run protected
    # looks at it.
    protected        = false
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:oncall"]
  }

  assert {
    condition     = aws_dynamodb_table.this.stream_enabled && aws_dynamodb_table.this.stream_view_type == "NEW_AND_OLD_IMAGES"
    error_message = "the relay needs a stream of new and old images"
  }

  assert {
    condition     = aws_dynamodb_table.this.ttl[0].enabled && aws_dynamodb_table.this.ttl[0].attribute_name == "expiresAt"
    error_message = "tombstones do not expire"
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].enabled
    error_message = "the table cannot be restored to a point in time"
  }

  assert {
    condition     = aws_dynamodb_table.this.server_side_encryption[0].enabled && aws_dynamodb_table.this.server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "the table is not encrypted by the service's key"
  }

  assert {
    condition     = aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "a backfill would meet a provisioned capacity"
  }

  assert {
    condition     = jsonencode(output.source) == jsonencode({ name = "companies", arn = aws_dynamodb_table.this.arn, stream_arn = aws_dynamodb_table.this.stream_arn, ttl_attribute = "expiresAt", kms_key_arn = var.kms_key_arn, key_types = { cik = "S" } })
    error_message = "the relay is told something else: ${jsonencode(output.source)}"
  }

  assert {
    condition     = sort(keys(aws_cloudwatch_metric_alarm.throttled)) == tolist(["ReadThrottleEvents", "WriteThrottleEvents"])
    error_message = "throttling of the table does not raise an alarm"
  }

  assert {
    condition = alltrue([for a in aws_cloudwatch_metric_alarm.throttled :
      a.namespace == "AWS/DynamoDB" && a.dimensions == tomap({ TableName = "companies" }) && a.statistic == "Sum" &&
    a.alarm_actions == toset(["arn:aws:sns:eu-west-1:111122223333:oncall"]) && a.ok_actions == toset(["arn:aws:sns:eu-west-1:111122223333:oncall"])])
    error_message = "an alarm watches something else, or tells nobody"
  }
}

run "protected" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "DynamoDB would delete the table"
  }

  assert {
    condition     = length(terraform_data.guard) == 1
    error_message = "Terraform would delete the table"
  }
}

run "indexes_and_prefix" {
  command = plan

  variables {
    name_prefix = "staging-"
    table = {
      name          = "watchlists"
      partition_key = { name = "user", type = "S" }
      sort_key      = { name = "cik", type = "S" }
      indexes = [
        { name = "by-cik", partition_key = { name = "cik", type = "S" }, sort_key = { name = "user", type = "S" }, projection = "keys_only", include = ["profileVersion", "profileMapping"] },
        { name = "by-rank", partition_key = { name = "rank", type = "N" } },
        { name = "by-day", partition_key = { name = "day", type = "S" }, projection = "keys_only" },
      ]
    }
  }

  assert {
    condition     = aws_dynamodb_table.this.name == "staging-watchlists" && aws_dynamodb_table.this.hash_key == "user" && aws_dynamodb_table.this.range_key == "cik"
    error_message = "name or key differ from the manifest's"
  }

  assert {
    condition     = { for a in aws_dynamodb_table.this.attribute : a.name => a.type } == { user = "S", cik = "S", rank = "N", day = "S" }
    error_message = "DynamoDB takes the attributes of keys, each once, and no others"
  }

  assert {
    condition = { for ix in aws_dynamodb_table.this.global_secondary_index : ix.name => join(" ", concat([ix.projection_type], sort(coalesce(ix.non_key_attributes, [])))) } == {
      by-cik = "INCLUDE profileMapping profileVersion", by-rank = "ALL", by-day = "KEYS_ONLY"
    }
    error_message = "an index holds other attributes than the manifest says"
  }

  assert {
    condition     = !aws_dynamodb_table.this.stream_enabled && length(aws_dynamodb_table.this.ttl) == 0
    error_message = "a table has a stream or a TTL that the manifest does not give it"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.throttled) == 8 && aws_cloudwatch_metric_alarm.throttled["WriteThrottleEvents-by-cik"].dimensions == tomap({ TableName = "staging-watchlists", GlobalSecondaryIndexName = "by-cik" })
    error_message = "an index that throttles raises no alarm"
  }
}
