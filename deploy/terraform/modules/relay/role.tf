locals {
  statements = [
    {
      sid       = "ReadTheStream"
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
      resources = [var.table.stream_arn]
      via       = null
    },
    {
      # Stamps: read the item as it is, give it a version, or put a tombstone.
      # The description is for the look at start-up.
      sid       = "StampTheSource"
      actions   = ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      resources = [var.table.arn]
      via       = null
    },
    {
      # What module key says of tables, in its output table_statement.
      sid       = "TableKey"
      actions   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      resources = [var.table.kms_key_arn]
      via       = "dynamodb"
    },
    {
      # The attributes say how large a message the topic takes.
      sid       = "PublishToTheTopic"
      actions   = ["sns:GetTopicAttributes", "sns:Publish"]
      resources = [var.topic_arn]
      via       = null
    },
    {
      sid       = "TopicKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.topic_kms_key_arn]
      via       = "sns"
    },
    {
      sid       = "SendDeadLetters"
      actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
      resources = [aws_sqs_queue.dead.arn]
      via       = null
    },
    {
      sid       = "DeadLettersKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [module.key.arn]
      via       = "sqs"
    },
    {
      sid       = "KeepFailedRecords"
      actions   = ["s3:PutObject"]
      resources = ["${aws_s3_bucket.failed.arn}/aws/lambda/*"]
      via       = null
    },
    {
      # Lambda asks for it where the destination is a bucket.
      sid       = "FindTheBucket"
      actions   = ["s3:ListBucket"]
      resources = [aws_s3_bucket.failed.arn]
      via       = null
    },
    {
      sid       = "FailedRecordsKey"
      actions   = ["kms:GenerateDataKey"]
      resources = [module.key.arn]
      via       = "s3"
    },
    {
      sid       = "Log"
      actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
      via       = null
    },
  ]
}

resource "aws_iam_role" "this" {
  name        = local.name
  description = "The relay of ${local.contract}, ${var.env}"
  # Only for this account's functions (Lambda, "Working with AWS managed policies
  # in the execution role").
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LambdaRunsTheRelay"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
  tags = local.tags
}

resource "aws_iam_role_policy" "this" {
  name = "relay"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for s in local.statements : merge(
      { Sid = s.sid, Effect = "Allow", Action = s.actions, Resource = s.resources },
      s.via == null ? {} : { Condition = { StringEquals = { "kms:ViaService" = ["${s.via}.${local.region}.amazonaws.com"] } } },
    )]
  })
}
