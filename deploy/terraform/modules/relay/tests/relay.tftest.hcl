# The relay of a publication: its function, how the stream is mapped to it, what
# it may do, and where a change goes that was not published.

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

run "defaults" {
  command = apply

  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.publish
    error_message = "the function is no published arm64 one of provided.al2023"
  }

  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("versions.tf") && aws_lambda_function.this.filename == "versions.tf"
    error_message = "a new build would not be deployed"
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ LOG_FORMAT = "json", TOPIC_ARN = "arn:aws:sns:eu-west-1:111122223333:company-profile-v1", RELAY_DLQ = aws_sqs_queue.dead.url })
    error_message = "the relay is told ${jsonencode(aws_lambda_function.this.environment[0].variables)}"
  }

  assert {
    condition     = aws_lambda_alias.live.function_version == "7" && aws_lambda_event_source_mapping.this.function_name == aws_lambda_alias.live.arn
    error_message = "the stream is not mapped to the alias of the published version"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.event_source_arn == var.table.stream_arn && aws_lambda_event_source_mapping.this.starting_position == "TRIM_HORIZON" && aws_lambda_event_source_mapping.this.enabled
    error_message = "what is written while the mapping is made would be skipped"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.bisect_batch_on_function_error && aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "a record that fails has its neighbours fail"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.maximum_retry_attempts == 1000 && aws_lambda_event_source_mapping.this.maximum_record_age_in_seconds == 6 * 3600
    error_message = "retries or age have no bound, or one beyond the stream's 24 hours"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.destination_config[0].on_failure[0].destination_arn == aws_s3_bucket.failed.arn
    error_message = "records that are given up are lost"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.metrics_config[0].metrics == toset(["EventCount"])
    error_message = "nobody counts the records that are dropped"
  }

  assert {
    condition     = [for f in one(aws_lambda_event_source_mapping.this.filter_criteria).filter : f.pattern] == [for f in jsondecode(file("testdata/filters.json"))["../../../../services/profile/replication.yaml"] : jsonencode(f)]
    error_message = "the filter is ${jsonencode(one(aws_lambda_event_source_mapping.this.filter_criteria).filter)}"
  }

  assert {
    condition     = aws_sqs_queue.dead.name == "profile-company-profile-v1-relay-dlq" && aws_sqs_queue.dead.message_retention_seconds == 14 * 86400 && aws_sqs_queue.dead.kms_master_key_id == module.key.id
    error_message = "the relay's dead-letter queue is not the manifest's, kept 14 days and encrypted"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_policy.dead.policy).Statement[0].Effect == "Deny" && jsondecode(aws_sqs_queue_policy.dead.policy).Statement[0].Condition == { Bool = { "aws:SecureTransport" = "false" } } && length(jsondecode(aws_sqs_queue_policy.dead.policy).Statement) == 1
    error_message = "the dead-letter queue is used without TLS: ${aws_sqs_queue_policy.dead.policy}"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/${aws_lambda_function.this.function_name}" && aws_cloudwatch_log_group.this.retention_in_days == 90 && aws_cloudwatch_log_group.this.kms_key_id == module.key.arn
    error_message = "logs are kept for ever, or in the clear"
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this.name && aws_lambda_function.this.logging_config[0].log_format == "JSON"
    error_message = "the function logs elsewhere, or Lambda in plain text"
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].application_log_level == "TRACE" && aws_lambda_function.this.logging_config[0].system_log_level == "WARN"
    error_message = "Lambda takes lines away that the relay wrote, or keeps one of its own for every call"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.dead.redrive_allow_policy) == { redrivePermission = "denyAll" } && aws_sqs_queue_redrive_allow_policy.dead.queue_url == aws_sqs_queue.dead.url
    error_message = "another queue's dead letters may come here: ${aws_sqs_queue_redrive_allow_policy.dead.redrive_allow_policy}"
  }

  assert {
    condition     = jsondecode(module.key.policy).Statement[1].Condition == { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = ["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/profile-company-profile-v1-relay"] } } && length(jsondecode(module.key.policy).Statement) == 2
    error_message = "the key serves other log groups, or other services: ${module.key.policy}"
  }
}

run "bucket" {
  command = apply

  assert {
    condition     = aws_s3_bucket.failed.bucket == "profile-company-profile-v1-relay-111122223333-eu-west-1"
    error_message = "the bucket is ${aws_s3_bucket.failed.bucket}"
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.failed.block_public_acls && aws_s3_bucket_public_access_block.failed.block_public_policy && aws_s3_bucket_public_access_block.failed.ignore_public_acls && aws_s3_bucket_public_access_block.failed.restrict_public_buckets
    error_message = "the bucket can be made public"
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.failed.rule[0].object_ownership == "BucketOwnerEnforced" && aws_s3_bucket_versioning.failed.versioning_configuration[0].status == "Enabled"
    error_message = "objects have other owners, or no versions"
  }

  assert {
    condition     = alltrue([for r in aws_s3_bucket_server_side_encryption_configuration.failed.rule : r.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms" && r.apply_server_side_encryption_by_default[0].kms_master_key_id == module.key.arn])
    error_message = "the bucket is not encrypted by the relay's key"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.failed.rule[0].expiration[0].days == 90 && aws_s3_bucket_lifecycle_configuration.failed.rule[0].status == "Enabled"
    error_message = "failed records are kept for ever, or not long enough"
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.failed.policy).Statement == jsondecode(jsonencode([{
      Sid       = "OnlyTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.failed.arn, "${aws_s3_bucket.failed.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]))
    error_message = "the bucket is read without TLS: ${aws_s3_bucket_policy.failed.policy}"
  }
}

run "rights" {
  command = apply

  assert {
    condition     = aws_iam_role.this.name == "profile-company-profile-v1-relay" && jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" } && jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition == { StringEquals = { "aws:SourceAccount" = "111122223333" } } && length(jsondecode(aws_iam_role.this.assume_role_policy).Statement) == 1
    error_message = "somebody else than this account's Lambda takes the role: ${aws_iam_role.this.assume_role_policy}"
  }

  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Sid => "${join(" ", s.Action)} on ${join(" ", s.Resource)}${can(s.Condition) ? " via ${s.Condition.StringEquals["kms:ViaService"][0]}" : ""}" } == {
      ReadTheStream     = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams on ${var.table.stream_arn}"
      StampTheSource    = "dynamodb:DescribeTable dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem on ${var.table.arn}"
      TableKey          = "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo on ${var.table.kms_key_arn} via dynamodb.eu-west-1.amazonaws.com"
      PublishToTheTopic = "sns:GetTopicAttributes sns:Publish on ${var.topic_arn}"
      TopicKey          = "kms:Decrypt kms:GenerateDataKey on ${var.topic_kms_key_arn} via sns.eu-west-1.amazonaws.com"
      SendDeadLetters   = "sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage on ${aws_sqs_queue.dead.arn}"
      DeadLettersKey    = "kms:Decrypt kms:GenerateDataKey on ${module.key.arn} via sqs.eu-west-1.amazonaws.com"
      KeepFailedRecords = "s3:PutObject on ${aws_s3_bucket.failed.arn}/aws/lambda/*"
      FindTheBucket     = "s3:ListBucket on ${aws_s3_bucket.failed.arn}"
      FailedRecordsKey  = "kms:GenerateDataKey on ${module.key.arn} via s3.eu-west-1.amazonaws.com"
      Log               = "logs:CreateLogStream logs:PutLogEvents on ${aws_cloudwatch_log_group.this.arn}:*"
    }
    error_message = "the relay may do more or less than it needs: ${aws_iam_role_policy.this.policy}"
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.this.policy).Statement : s.Effect == "Allow" && !contains(s.Resource, "*") && alltrue([for a in s.Action : !strcontains(a, "*")])])
    error_message = "a right is not named: ${aws_iam_role_policy.this.policy}"
  }
}

run "alarms" {
  command = apply

  assert {
    condition = { for what, a in aws_cloudwatch_metric_alarm.this : what => "${a.metric_name} ${join(" ", values(a.dimensions))} ${a.threshold}" } == {
      iterator-age         = "IteratorAge profile-company-profile-v1-relay 300000"
      errors               = "Errors profile-company-profile-v1-relay 0"
      throttles            = "Throttles profile-company-profile-v1-relay 0"
      failed-records       = "FailedInvokeEventCount 6d2f1c9a-0000-4000-8000-000000000001 0"
      dropped-records      = "DroppedEventCount 6d2f1c9a-0000-4000-8000-000000000001 0"
      given-up-records     = "OnFailureDestinationDeliveredEventCount 6d2f1c9a-0000-4000-8000-000000000001 0"
      destination-failures = "DestinationDeliveryFailures profile-company-profile-v1-relay 0"
      dead-letters         = "ApproximateNumberOfMessagesVisible profile-company-profile-v1-relay-dlq 0"
    }
    error_message = "the alarms watch something else"
  }

  assert {
    condition     = alltrue([for a in aws_cloudwatch_metric_alarm.this : a.alarm_actions == toset(var.alarm_topic_arns) && a.ok_actions == toset(var.alarm_topic_arns) && a.treat_missing_data == "notBreaching" && length(a.alarm_description) > 80])
    error_message = "an alarm tells nobody, or not what to do"
  }
}

run "a_mapping_that_does_not_read" {
  command = apply

  assert {
    condition = { for q in aws_cloudwatch_metric_alarm.unread.metric_query : q.id => try("${q.metric[0].metric_name} ${q.metric[0].stat} ${join(" ", values(q.metric[0].dimensions))}", q.expression) } == {
      unread  = "IF(FILL(written, 0) > 0 AND FILL(reads, 0) == 0, 1, 0)"
      written = "ConsumedWriteCapacityUnits Sum companies"
      reads   = "PolledEventCount SampleCount 6d2f1c9a-0000-4000-8000-000000000001"
    }
    error_message = "a stream that nobody reads wakes nobody"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.unread.threshold == 0 && aws_cloudwatch_metric_alarm.unread.alarm_actions == toset(var.alarm_topic_arns) && aws_cloudwatch_metric_alarm.unread.ok_actions == toset(var.alarm_topic_arns)
    error_message = "the alarm tells nobody"
  }

  assert {
    condition     = toset(keys(output.alarm_arns)) == toset(["dead-letters", "destination-failures", "dropped-records", "errors", "failed-records", "given-up-records", "iterator-age", "throttles", "unread"])
    error_message = "the dashboard is not told of every alarm: ${join(", ", keys(output.alarm_arns))}"
  }

  assert {
    condition     = strcontains(aws_cloudwatch_metric_alarm.this["dropped-records"].alarm_description, "replicactl reconcile") && strcontains(aws_cloudwatch_metric_alarm.this["given-up-records"].alarm_description, "stream-dlq")
    error_message = "records are looked for where they are not"
  }
}

# The filters are in testdata/filters.json, and a test of Go holds those against
# what the relay would do with a record (test/system/architecture).
run "single_table" {
  command = plan

  variables {
    publication = yamldecode(file("testdata/single_table.yaml")).publishes[0]
    table = {
      name          = "everything"
      arn           = "arn:aws:dynamodb:eu-west-1:111122223333:table/everything"
      stream_arn    = "arn:aws:dynamodb:eu-west-1:111122223333:table/everything/stream/2026-11-20T00:00:00.000"
      ttl_attribute = "profileExpiresAt"
      kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/0000table"
      key_types     = { pk = "S", sk = "S" }
    }
  }

  # Other items of the table are left out; an item that comes to the contract or
  # leaves it has one image that matches, or the relay's stamp.
  assert {
    condition     = sort([for f in one(aws_lambda_event_source_mapping.this.filter_criteria).filter : f.pattern]) == sort([for f in jsondecode(file("testdata/filters.json"))["testdata/single_table.yaml"] : jsonencode(f)])
    error_message = "the filter is ${jsonencode(one(aws_lambda_event_source_mapping.this.filter_criteria).filter)}"
  }

  # More need AWS's consent (Lambda, "Control which events Lambda sends to your
  # function").
  assert {
    condition     = length(one(aws_lambda_event_source_mapping.this.filter_criteria).filter) <= 5
    error_message = "Lambda takes five filters, and these are ${length(one(aws_lambda_event_source_mapping.this.filter_criteria).filter)}"
  }

  assert {
    condition     = aws_sqs_queue.dead.name == "profile-dead"
    error_message = "the manifest's name is not used"
  }
}

run "numbers_and_matched_keys" {
  command = plan

  variables {
    publication = yamldecode(file("testdata/numbers.yaml")).publishes[0]
    table = {
      name          = "companies"
      arn           = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies"
      stream_arn    = "arn:aws:dynamodb:eu-west-1:111122223333:table/companies/stream/2026-11-20T00:00:00.000"
      ttl_attribute = "revExpiresAt"
      kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/0000table"
      key_types     = { cik = "N", kind = "S" }
    }
  }

  assert {
    condition     = sort([for f in one(aws_lambda_event_source_mapping.this.filter_criteria).filter : f.pattern]) == sort([for f in jsondecode(file("testdata/filters.json"))["testdata/numbers.yaml"] : jsonencode(f)])
    error_message = "the filter is ${jsonencode(one(aws_lambda_event_source_mapping.this.filter_criteria).filter)}"
  }
}

run "a_long_name_and_a_package_in_s3" {
  command = plan

  variables {
    name_prefix = "Blue_"
    service     = "profile-of-all-the-companies-there-are"
    topic_arn   = "arn:aws:sns:eu-west-1:111122223333:Blue_company-profile-v1"
    package     = { s3_bucket = "artifacts", s3_key = "relay.zip", sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" }
    publication = { contract = "company.profile/v1", key = { cik = "subject" } }
    # the queue takes 80 characters, the function and its role 64
    mapping = { parallelization = 4, batch_size = 500, window_seconds = 1 }
  }

  assert {
    condition     = length(aws_s3_bucket.failed.bucket) <= 63 && can(regex("^blue-profile-of-all-t-[0-9a-f]{6}-relay-111122223333-eu-west-1$", aws_s3_bucket.failed.bucket))
    error_message = "S3 takes no such name: ${aws_s3_bucket.failed.bucket}"
  }

  assert {
    condition     = aws_lambda_function.this.source_code_hash == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" && aws_lambda_function.this.s3_key == "relay.zip"
    error_message = "a new object in S3 would not be deployed"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.parallelization_factor == 4 && aws_lambda_event_source_mapping.this.batch_size == 500 && aws_lambda_event_source_mapping.this.maximum_batching_window_in_seconds == 1
    error_message = "the mapping is not as it was asked for"
  }

  assert {
    condition     = length(aws_lambda_function.this.function_name) <= 64 && aws_iam_role.this.name == aws_lambda_function.this.function_name && can(regex("^Blue_profile-of-all-the-companies-there-are-company-[0-9a-f]{6}-relay$", aws_iam_role.this.name))
    error_message = "Lambda takes no such name: ${aws_lambda_function.this.function_name}"
  }
}

# What is left out has the defaults that the programs have (module manifest).
run "defaults_of_the_programs" {
  command = plan

  variables {
    service     = jsondecode(file("../manifest/testdata/resolved.json"))["testdata/minimal.yaml"].service
    publication = yamldecode(file("../manifest/testdata/minimal.yaml")).publishes[0]
    topic_arn   = "arn:aws:sns:eu-west-1:111122223333:billing-account-v1"
    table = {
      name          = "accounts"
      arn           = "arn:aws:dynamodb:eu-west-1:111122223333:table/accounts"
      stream_arn    = "arn:aws:dynamodb:eu-west-1:111122223333:table/accounts/stream/2026-01-01T00:00:00.000"
      ttl_attribute = "expiresAt"
      kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/0000table"
      key_types     = { id = "N" }
    }
  }

  assert {
    condition = jsonencode({
      topic             = local.declared
      dead_letter_queue = aws_sqs_queue.dead.name
      version_attribute = local.version_attribute
      expires_at        = local.expires_at
      }) == jsonencode({ for name, value in jsondecode(file("../manifest/testdata/resolved.json"))["testdata/minimal.yaml"].publications["billing.account/v1"] :
      name => value if contains(["topic", "dead_letter_queue", "version_attribute", "expires_at"], name)
    })
    error_message = "the module fills in something else than the programs: ${local.declared}, ${aws_sqs_queue.dead.name}, ${local.expires_at}"
  }
}
