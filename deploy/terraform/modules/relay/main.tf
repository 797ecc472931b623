data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # The defaults of the manifest, as module manifest fills them in, for whoever
  # gives the entry as it is written; tests hold them against the programs'.
  contract = var.publication.contract
  declared = coalesce(var.publication.topic, replace(local.contract, "/[^A-Za-z0-9]/", "-"))
  dlq_name = "${var.name_prefix}${coalesce(var.publication.dead_letter_queue, "${var.service}-${local.declared}-relay-dlq")}"

  # Functions and roles have at most 64 characters, fewer than topics and queues.
  full_name = "${var.name_prefix}${var.service}-${local.declared}-relay"
  name      = length(local.full_name) <= 64 ? local.full_name : "${trimsuffix(substr(local.full_name, 0, 51), "-")}-${substr(sha256(local.full_name), 0, 6)}-relay"
  log_group = "/aws/lambda/${local.name}"

  # The names of the attributes by which the source's tombstones expire and by
  # which stamps are told, as manifest.BookkeepingFor derives them.
  version_attribute = var.publication.version_attribute
  expires_at = (
    local.version_attribute == "version" ? "expiresAt" :
    endswith(local.version_attribute, "Version") && length(local.version_attribute) > 7 ? "${trimsuffix(local.version_attribute, "Version")}ExpiresAt" :
    "${local.version_attribute}ExpiresAt"
  )
  stamped = (
    local.version_attribute == "version" ? "stampedVersion" :
    endswith(local.version_attribute, "Version") && length(local.version_attribute) > 7 ? "${trimsuffix(local.version_attribute, "Version")}StampedVersion" :
    "${local.version_attribute}Stamped"
  )

  tags = merge(var.tags, { environment = var.env, service = var.service, contract = replace(local.contract, "/", ":") })
}

module "key" {
  source = "../key"

  name        = "${var.env}/relay/${local.name}"
  description = "Dead letters, failed records and logs of the relay of ${local.contract}, ${var.env}"
  log_groups  = [local.log_group]
  tags        = local.tags
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = module.key.arn
  tags              = local.tags
}

resource "aws_lambda_function" "this" {
  function_name = local.name
  description   = "Publishes the changes of ${local.contract}"
  role          = aws_iam_role.this.arn
  runtime       = "provided.al2023"
  architectures = ["arm64"]
  handler       = "bootstrap"
  memory_size   = var.memory_mb
  timeout       = var.timeout_seconds
  publish       = true

  filename          = var.package.path
  s3_bucket         = var.package.s3_bucket
  s3_key            = var.package.s3_key
  s3_object_version = var.package.s3_version
  source_code_hash  = var.package.path == null ? var.package.sha256 : filebase64sha256(var.package.path)

  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)

  # It holds no secret: the function's rights are its role's.
  environment {
    variables = merge({ LOG_FORMAT = "json" }, var.environment, {
      TOPIC_ARN = var.topic_arn
      RELAY_DLQ = aws_sqs_queue.dead.url
    })
  }

  # What Lambda itself writes is JSON too, and of that only what went wrong. The
  # relay's lines are JSON already and stay as they are; which of them it writes
  # LOG_LEVEL decides, so that Lambda takes none away: it counts a line as INFO
  # whose time is not where it looks for it (Lambda, "Log-level filtering").
  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.this.name
    application_log_level = "TRACE"
    system_log_level      = "WARN"
  }

  tags = local.tags

  lifecycle {
    precondition {
      condition     = var.table.ttl_attribute == local.expires_at
      error_message = "Tombstones at the source expire by ${local.expires_at}, and ${var.table.name} has ${var.table.ttl_attribute == null ? "no TTL" : "its TTL on ${var.table.ttl_attribute}"}, so they would stay for ever, and deleted items pile up. Write ttl_attribute: ${local.expires_at} at the table in the manifest."
    }

    precondition {
      condition     = !contains(keys(var.table.key_types), local.version_attribute)
      error_message = "${local.version_attribute} is a key attribute of ${var.table.name}, and a version changes. Name another version_attribute in the manifest."
    }

    precondition {
      condition     = length(setsubtract(keys(var.table.key_types), keys(var.publication.key))) == 0 && length(setsubtract(keys(var.publication.key), keys(var.table.key_types))) == 0
      error_message = "The publication's key names ${join(", ", keys(var.publication.key))}, and ${var.table.name} has the key ${join(", ", keys(var.table.key_types))}: items would be looked for under keys that they never have. Write a template for each key attribute in the manifest, and for no other."
    }

    precondition {
      condition     = try(split(":", var.topic_arn)[5], "") == "${var.name_prefix}${local.declared}"
      error_message = "The relay of ${local.contract} would publish to ${var.topic_arn}, and the manifest's topic is ${var.name_prefix}${local.declared}: subscribers listen there. Pass the output arn of this publication's module topic."
    }
  }

  # Without these the first call would fail, and the group be made by Lambda,
  # unencrypted and without an end.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}

# What the stream is mapped to: moving it to another version is a deployment,
# moving it back a rollback, and the mapping keeps its place in the stream.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that the stream is mapped to"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn  = var.table.stream_arn
  function_name     = aws_lambda_alias.live.arn
  enabled           = true
  starting_position = "TRIM_HORIZON" # LATEST would skip what is written while the mapping is made

  batch_size                         = var.mapping.batch_size
  maximum_batching_window_in_seconds = var.mapping.window_seconds
  parallelization_factor             = var.mapping.parallelization
  bisect_batch_on_function_error     = true
  function_response_types            = ["ReportBatchItemFailures"]
  maximum_retry_attempts             = var.mapping.max_retries
  maximum_record_age_in_seconds      = var.mapping.max_age_seconds

  filter_criteria {
    dynamic "filter" {
      for_each = local.filters
      content {
        pattern = filter.value
      }
    }
  }

  # S3 receives the records whole; a queue or a topic would only be told where
  # in the stream they were, which forgets them after 24 hours.
  destination_config {
    on_failure {
      destination_arn = aws_s3_bucket.failed.arn
    }
  }

  metrics_config {
    metrics = ["EventCount"]
  }

  tags = local.tags

  depends_on = [
    aws_iam_role_policy.this, aws_s3_bucket_policy.failed, aws_s3_bucket_public_access_block.failed,
    aws_s3_bucket_server_side_encryption_configuration.failed, aws_s3_bucket_ownership_controls.failed,
  ]
}
