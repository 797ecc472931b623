locals {
  of_function = { FunctionName = local.name }
  of_mapping  = { EventSourceMappingUUID = aws_lambda_event_source_mapping.this.uuid }
  of_queue    = { QueueName = local.dlq_name }
  from_bucket = "Mend the cause, then `replicactl stream-dlq --contract ${local.contract} --s3 s3://${local.bucket_name}`, which says what it would do, and again with --apply."

  alarms = {
    iterator-age = {
      namespace = "AWS/Lambda", metric = "IteratorAge", statistic = "Maximum", dimensions = local.of_function
      threshold = var.iterator_age_threshold_seconds * 1000, period = 60, periods = 5, of = 3
      says      = "The relay of ${local.contract} is more than ${var.iterator_age_threshold_seconds} s behind the stream of ${var.table.name}, which forgets after 24 hours; records older than ${var.mapping.max_age_seconds} s go to ${local.bucket_name}. Look at its log and at SNS."
    }
    errors = {
      namespace = "AWS/Lambda", metric = "Errors", statistic = "Sum", dimensions = local.of_function
      threshold = 0, period = 60, periods = 5, of = 3
      says      = "The relay of ${local.contract} ends in errors: it crashes, runs out of time, or does not start. Look at ${local.log_group}; if it began with a deployment, roll back by applying the last package."
    }
    throttles = {
      namespace = "AWS/Lambda", metric = "Throttles", statistic = "Sum", dimensions = local.of_function
      threshold = 0, period = 60, periods = 5, of = 3
      says      = "Lambda does not start the relay of ${local.contract} as often as it is called: raise reserved_concurrency, or the account's limit."
    }
    # Batches that were reported in part are no errors of the function.
    failed-records = {
      namespace = "AWS/Lambda", metric = "FailedInvokeEventCount", statistic = "Sum", dimensions = local.of_mapping
      threshold = 0, period = 60, periods = 10, of = 5
      says      = "Records of ${var.table.name} keep failing in the relay of ${local.contract} and are tried again. Look at ${local.log_group}: SNS or DynamoDB refuse something."
    }
    # What reached the bucket is not among these (Lambda, "Types of metrics for
    # Lambda functions").
    dropped-records = {
      namespace = "AWS/Lambda", metric = "DroppedEventCount", statistic = "Sum", dimensions = local.of_mapping
      threshold = 0, period = 60, periods = 1, of = 1
      says      = "Lambda gave up on records of ${var.table.name} and kept them nowhere: these changes are lost to subscribers. Mend the cause, which the relay's other alarms tell, then `replicactl reconcile` with every subscriber."
    }
    given-up-records = {
      namespace = "AWS/Lambda", metric = "OnFailureDestinationDeliveredEventCount", statistic = "Sum", dimensions = local.of_mapping
      threshold = 0, period = 60, periods = 1, of = 1
      says      = "Lambda put records of ${var.table.name} into ${local.bucket_name} whose changes are not published. ${local.from_bucket}"
    }
    destination-failures = {
      namespace = "AWS/Lambda", metric = "DestinationDeliveryFailures", statistic = "Sum", dimensions = local.of_function
      threshold = 0, period = 60, periods = 1, of = 1
      says      = "Lambda gave up on records of ${var.table.name} and could not put them into ${local.bucket_name} either: these changes are lost to subscribers. Mend the bucket's policy or the key, then `replicactl reconcile` with every subscriber."
    }
    dead-letters = {
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", dimensions = local.of_queue
      threshold = 0, period = 60, periods = 1, of = 1
      says      = "Changes of ${local.contract} that can never be published as they are lie in ${local.dlq_name}. See why with `replicactl stream-dlq --contract ${local.contract}`, mend the items, then repeat it with --apply."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = each.value.says
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.of
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags
}

# Where the mapping is switched off, or has lost its rights to the stream or the
# key, nothing is called and nothing fails, and the stream forgets after 24 hours.
# A mapping that reads counts 0 where it finds nothing, so that no count at all
# means that nobody reads. That is what users report and no page of AWS's: if it
# were not so, the alarm would also ring where for 15 minutes every write left its
# item as it was. A table that nobody writes has nothing to lose.
resource "aws_cloudwatch_metric_alarm" "unread" {
  alarm_name          = "${local.name}-unread"
  alarm_description   = "${var.table.name} was written within 15 minutes in which Lambda did not read its stream, which forgets after 24 hours. Look at the mapping, `aws lambda get-event-source-mapping --uuid ${aws_lambda_event_source_mapping.this.uuid}`: is it switched off, or what does LastProcessingResult say of the role's rights? Applying this root again switches it on."
  evaluation_periods  = 1
  datapoints_to_alarm = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags

  metric_query {
    id          = "unread"
    label       = "Written and not read"
    expression  = "IF(FILL(written, 0) > 0 AND FILL(reads, 0) == 0, 1, 0)"
    return_data = true
  }

  metric_query {
    id          = "written"
    return_data = false

    metric {
      namespace   = "AWS/DynamoDB"
      metric_name = "ConsumedWriteCapacityUnits"
      dimensions  = { TableName = var.table.name }
      stat        = "Sum"
      period      = 900
    }
  }

  metric_query {
    id          = "reads"
    return_data = false

    metric {
      namespace   = "AWS/Lambda"
      metric_name = "PolledEventCount"
      dimensions  = local.of_mapping
      stat        = "SampleCount"
      period      = 900
    }
  }
}
