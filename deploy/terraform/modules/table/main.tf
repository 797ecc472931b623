locals {
  name       = "${var.name_prefix}${var.table.name}"
  table_keys = concat([var.table.partition_key], var.table.sort_key == null ? [] : [var.table.sort_key])

  # Every key attribute of the table and its indexes, once.
  attributes = { for k in concat(local.table_keys,
    flatten([for ix in var.table.indexes : concat([ix.partition_key], ix.sort_key == null ? [] : [ix.sort_key])])
  ) : k.name => k.type... }

  tags = merge(var.tags, { environment = var.env, service = var.service })

  # An index throttles by itself, and has metrics of its own.
  throttles = merge([for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : merge(
    { (metric) = { metric = metric, of = local.name, dimensions = { TableName = local.name } } },
    { for ix in var.table.indexes : "${metric}-${ix.name}" => {
      metric     = metric
      of         = "${local.name}, index ${ix.name}"
      dimensions = { TableName = local.name, GlobalSecondaryIndexName = ix.name }
    } }
  )]...)
}

resource "aws_dynamodb_table" "this" {
  name                        = local.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.table.partition_key.name
  range_key                   = try(var.table.sort_key.name, null)
  deletion_protection_enabled = var.protected

  # The relay compares what an item was with what it is.
  stream_enabled   = var.table.stream
  stream_view_type = var.table.stream ? "NEW_AND_OLD_IMAGES" : null

  dynamic "attribute" {
    for_each = local.attributes
    content {
      name = attribute.key
      type = attribute.value[0]
    }
  }

  dynamic "global_secondary_index" {
    for_each = { for ix in var.table.indexes : ix.name => ix }
    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.partition_key.name
      range_key          = try(global_secondary_index.value.sort_key.name, null)
      projection_type    = global_secondary_index.value.projection == "all" ? "ALL" : length(global_secondary_index.value.include) > 0 ? "INCLUDE" : "KEYS_ONLY"
      non_key_attributes = length(global_secondary_index.value.include) > 0 ? global_secondary_index.value.include : null
    }
  }

  dynamic "ttl" {
    for_each = var.table.ttl_attribute == null ? [] : [var.table.ttl_attribute]
    content {
      enabled        = true
      attribute_name = ttl.value
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  tags = local.tags
}

# prevent_destroy takes no variable. It is kept here, and not in one of two
# tables between which a variable chooses: setting that variable would have
# Terraform destroy the one table, data and all, to make the other. The guard
# cannot go while the table does: a plan that deletes the table deletes the
# guard, and one that replaces the table replaces it, and both are refused.
resource "terraform_data" "guard" {
  count = var.protected ? 1 : 0

  input = aws_dynamodb_table.this.arn

  lifecycle {
    prevent_destroy      = true
    replace_triggered_by = [aws_dynamodb_table.this.arn]
  }
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  for_each = local.throttles

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "DynamoDB throttles ${each.value.of} (${each.value.metric}). A hot key or an account's limit: see which key is hot with CloudWatch Contributor Insights; replication catches up by itself once throttling ends."
  namespace           = "AWS/DynamoDB"
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.throttle_threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags
}
