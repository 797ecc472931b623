locals {
  queue_alarms = {
    age = {
      namespace  = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
      dimensions = { QueueName = local.queue_name }
      threshold  = var.age_threshold_seconds, period = 60, periods = 5, of = 3
      says       = "Changes of ${local.contract} wait in ${local.queue_name} for more than ${var.age_threshold_seconds} s, so the copies of ${var.service} are behind. See whether the consumer runs and what it logs, then `replicactl status`."
    }
    dead-letters = {
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
      dimensions = { QueueName = local.dlq_name }
      threshold  = 0, period = 60, periods = 1, of = 1
      says       = "Changes of ${local.contract} could not be applied by ${var.service}, or not delivered to it, and are in ${local.dlq_name}. Look with `replicactl dlq list`, mend the cause, then `replicactl dlq redrive`."
    }
    # At 120,000 SQS hands out nothing more, without an error.
    in-flight = {
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesNotVisible", statistic = "Maximum"
      dimensions = { QueueName = local.queue_name }
      threshold  = 90000, period = 60, periods = 5, of = 3
      says       = "${local.queue_name} has more than 90000 messages in flight, and at 120000 SQS hands out no more. Consumers receive without settling: look at their logs and at the handler's timeout."
    }
  }

  # SNS counts by topic and not by subscription, and only the topic's account
  # sees the counts; in another account the dead-letter queue has to tell.
  topic_alarms = local.foreign_topic ? {} : {
    failed-deliveries = {
      namespace  = "AWS/SNS", metric = "NumberOfNotificationsFailed", statistic = "Sum"
      dimensions = { TopicName = local.topic_name }
      threshold  = 0, period = 300, periods = 1, of = 1
      says       = "SNS could not deliver messages of ${local.topic_name} to a subscriber; ${var.service} is one. Where ${local.dlq_name} has messages it is this one: look at the policy and the key of ${local.queue_name}, then `replicactl dlq redrive`."
    }
    invalid-attributes = {
      namespace  = "AWS/SNS", metric = "NumberOfNotificationsFilteredOut-InvalidAttributes", statistic = "Sum"
      dimensions = { TopicName = local.topic_name }
      threshold  = 0, period = 300, periods = 1, of = 1
      says       = "Filter policies dropped messages of ${local.topic_name} whose attributes they could not read, so ${var.service} may have missed changes. Tell ${local.topic.service}, then `replicactl reconcile`."
    }
    no-attributes = {
      namespace  = "AWS/SNS", metric = "NumberOfNotificationsFilteredOut-NoMessageAttributes", statistic = "Sum"
      dimensions = { TopicName = local.topic_name }
      threshold  = 0, period = 300, periods = 1, of = 1
      says       = "Somebody publishes to ${local.topic_name} without message attributes, which no filter policy lets through. Tell ${local.topic.service}, then `replicactl reconcile`."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = merge(local.queue_alarms, local.topic_alarms)

  alarm_name          = "${local.queue_name}-${each.key}"
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
