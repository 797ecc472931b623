# Where a change goes that was not published: the relay's own dead-letter queue
# for what can never be published, and a bucket for what Lambda gave up on.

resource "aws_sqs_queue" "dead" {
  name                      = local.dlq_name
  message_retention_seconds = 1209600 # 14 days, SQS's longest
  kms_master_key_id         = module.key.id
  tags                      = local.tags

  # The provider of this version sets 256 KiB and takes no more, while SQS takes
  # 1 MiB. Whoever raises the limit by hand is left alone; README.md has the call.
  lifecycle {
    ignore_changes = [max_message_size]

    precondition {
      condition     = length(local.dlq_name) <= 80
      error_message = "The dead-letter queue's name ${local.dlq_name} is longer than the 80 characters SQS takes. Name it in the manifest, with dead_letter_queue:, or shorten name_prefix."
    }
  }
}

# What lies here was sent by the relay, with a reason, and replicactl puts it
# back by that. A queue that redrove its own poison messages here would mix in
# what stream-dlq cannot read, so none may (SQS, "SetQueueAttributes",
# RedriveAllowPolicy).
resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url            = aws_sqs_queue.dead.url
  redrive_allow_policy = jsonencode({ redrivePermission = "denyAll" })
}

resource "aws_sqs_queue_policy" "dead" {
  queue_url = aws_sqs_queue.dead.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.dead.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

locals {
  # Buckets are named across all accounts, in at most 63 lower case characters.
  bucket_base = lower(replace("${var.name_prefix}${var.service}-${local.declared}", "_", "-"))
  bucket_what = length(local.bucket_base) <= 28 ? local.bucket_base : "${trimsuffix(substr(local.bucket_base, 0, 21), "-")}-${substr(sha256(local.bucket_base), 0, 6)}"
  bucket_name = trimprefix("${local.bucket_what}-relay-${local.account}-${local.region}", "-")
}

resource "aws_s3_bucket" "failed" {
  bucket = local.bucket_name
  tags   = local.tags
}

resource "aws_s3_bucket_public_access_block" "failed" {
  bucket = aws_s3_bucket.failed.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "failed" {
  bucket = aws_s3_bucket.failed.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "failed" {
  bucket = aws_s3_bucket.failed.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "failed" {
  bucket = aws_s3_bucket.failed.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = module.key.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "failed" {
  bucket = aws_s3_bucket.failed.id

  rule {
    id     = "forget"
    status = "Enabled"

    filter {}

    expiration {
      days = var.failed_records_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.failed]
}

resource "aws_s3_bucket_policy" "failed" {
  bucket = aws_s3_bucket.failed.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.failed.arn, "${aws_s3_bucket.failed.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.failed]
}
