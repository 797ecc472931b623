# The key: rotated, run by its account, and used by a service or a role on
# conditions alone.

mock_provider "aws" {
  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "111122223333" }
  }
  override_data {
    target = data.aws_partition.current
    values = { partition = "aws" }
  }
  override_data {
    target = data.aws_region.current
    values = { name = "eu-west-1" }
  }
}

variables {
  name        = "prod/topic/company-profile-v1"
  description = "Changes of company.profile/v1 at rest"
}

run "plain" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "the key is not rotated"
  }

  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 30
    error_message = "a removed key can be brought back for less than 30 days"
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/prod/topic/company-profile-v1"
    error_message = "the alias is ${aws_kms_alias.this.name}"
  }

  assert {
    condition = jsondecode(aws_kms_key.this.policy) == jsondecode(jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "AccountAdministers"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::111122223333:root" }
        Action    = ["kms:*"]
        Resource  = ["*"]
      }]
    }))
    error_message = "a key that nobody was given is used by somebody besides the account: ${aws_kms_key.this.policy}"
  }
}

run "services_and_callers" {
  command = plan

  variables {
    name = "prod/table.v1"
    services = [{
      sid       = "OnlyThisTopic"
      principal = "sns.amazonaws.com"
      actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
      conditions = [
        { test = "ArnEquals", variable = "aws:SourceArn", values = ["arn:aws:sns:eu-west-1:111122223333:t"] },
        { test = "StringEquals", variable = "aws:SourceAccount", values = ["111122223333"] },
        { test = "StringEquals", variable = "kms:CallerAccount", values = ["111122223333"] },
      ]
    }]
    callers = [
      {
        sid       = "Publish"
        role_arns = ["arn:aws:iam::444455556666:role/operator", "arn:aws:iam::111122223333:role/relay", "arn:aws:iam::111122223333:role/other"]
        via       = "sns"
        actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
      },
      { sid = "Nobody", role_arns = [], via = "sqs", actions = ["kms:Decrypt"] },
    ]
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/prod/table-v1"
    error_message = "the alias is ${aws_kms_alias.this.name}, and KMS takes no dots"
  }

  assert {
    condition     = [for s in jsondecode(aws_kms_key.this.policy).Statement : s.Sid] == ["AccountAdministers", "OnlyThisTopic", "Publish"]
    error_message = "statements: ${aws_kms_key.this.policy}"
  }

  assert {
    condition = jsondecode(aws_kms_key.this.policy).Statement[1] == jsondecode(jsonencode({
      Sid       = "OnlyThisTopic"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
      Resource  = ["*"]
      Condition = {
        ArnEquals    = { "aws:SourceArn" = ["arn:aws:sns:eu-west-1:111122223333:t"] }
        StringEquals = { "aws:SourceAccount" = ["111122223333"], "kms:CallerAccount" = ["111122223333"] }
      }
    }))
    error_message = "a condition was lost: ${aws_kms_key.this.policy}"
  }

  assert {
    condition = jsondecode(aws_kms_key.this.policy).Statement[2] == jsondecode(jsonencode({
      Sid       = "Publish"
      Effect    = "Allow"
      Principal = { AWS = ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"] }
      Action    = ["kms:GenerateDataKey*", "kms:Decrypt"]
      Resource  = ["*"]
      Condition = {
        ArnEquals    = { "aws:PrincipalArn" = ["arn:aws:iam::111122223333:role/other", "arn:aws:iam::111122223333:role/relay", "arn:aws:iam::444455556666:role/operator"] }
        StringEquals = { "kms:ViaService" = ["sns.eu-west-1.amazonaws.com"] }
      }
    }))
    error_message = "roles use the key otherwise than through SNS: ${aws_kms_key.this.policy}"
  }
}

run "a_service_without_a_condition_is_refused" {
  command = plan
  variables {
    services = [{ sid = "A", principal = "sns.amazonaws.com", actions = ["kms:Decrypt"], conditions = [] }]
  }
  expect_failures = [var.services]
}

run "a_condition_that_names_no_resource_is_refused" {
  command = plan
  variables {
    services = [{
      sid        = "A", principal = "sns.amazonaws.com", actions = ["kms:Decrypt"]
      conditions = [{ test = "Bool", variable = "aws:SecureTransport", values = ["true"] }]
    }]
  }
  expect_failures = [var.services]
}

run "a_condition_on_every_topic_is_refused" {
  command = plan
  variables {
    services = [{
      sid        = "A", principal = "sns.amazonaws.com", actions = ["kms:Decrypt"]
      conditions = [{ test = "ArnEquals", variable = "aws:SourceArn", values = ["arn:aws:sns:eu-west-1:111122223333:*"] }]
    }]
  }
  expect_failures = [var.services]
}

run "every_role_as_a_caller_is_refused" {
  command = plan
  variables {
    callers = [{ sid = "A", role_arns = ["arn:aws:iam::111122223333:role/*"], via = "sns", actions = ["kms:Decrypt"] }]
  }
  expect_failures = [var.callers]
}

run "a_caller_through_any_service_is_refused" {
  command = plan
  variables {
    callers = [{ sid = "A", role_arns = ["arn:aws:iam::111122223333:role/relay"], via = "*", actions = ["kms:Decrypt"] }]
  }
  expect_failures = [var.callers]
}

run "a_service_that_may_do_all_is_refused" {
  command = plan
  variables {
    services = [{
      sid        = "A", principal = "sns.amazonaws.com", actions = ["kms:*"]
      conditions = [{ test = "StringEquals", variable = "aws:SourceAccount", values = ["111122223333"] }]
    }]
  }
  expect_failures = [var.services]
}

run "a_role_that_may_do_all_is_refused" {
  command = plan
  variables {
    callers = [{ sid = "A", role_arns = ["arn:aws:iam::111122223333:role/relay"], via = "sns", actions = ["kms:*"] }]
  }
  expect_failures = [var.callers]
}

run "a_short_end_is_refused" {
  command = plan
  variables {
    deletion_window_days = 3
  }
  expect_failures = [var.deletion_window_days]
}

run "aws_own_alias_is_refused" {
  command = plan
  variables {
    name = "aws/sns"
  }
  expect_failures = [var.name]
}

run "log_groups_and_tables" {
  command = plan

  variables {
    log_groups = ["/ecs/prod/stats", "/aws/lambda/relay"]
  }

  assert {
    condition = one([for s in jsondecode(aws_kms_key.this.policy).Statement : s.Condition if s.Sid == "OnlyTheseLogGroups"]) == {
      ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = [
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/relay", "arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/prod/stats",
      ] }
    }
    error_message = "CloudWatch Logs may use the key for other log groups: ${aws_kms_key.this.policy}"
  }

  assert {
    condition     = output.table_statement.conditions == { StringEquals = { "kms:ViaService" = ["dynamodb.eu-west-1.amazonaws.com"] } } && !strcontains(join(" ", output.table_statement.actions), "*")
    error_message = "Whoever uses the tables may use the key for more: ${jsonencode(output.table_statement)}"
  }
}

run "a_log_group_with_a_wildcard_is_refused" {
  command = plan
  variables {
    log_groups = ["/ecs/*"]
  }
  expect_failures = [var.log_groups]
}
