# What is watched of the tasks. The services' own metrics are at /metrics, for
# Prometheus, and nothing takes them to CloudWatch; what is counted here is in
# their log lines.

locals {
  logged = {
    # Every line of level ERROR wants somebody's attention.
    LoggedErrors = "{ $.level = \"ERROR\" }"
    # A message that is given back and comes again, by itself.
    MessagesRetried = "{ $.msg = \"change not applied\" && $.verdict != \"reject\" }"
    # A message that no retry mends: it goes to the dead-letter queue.
    MessagesRejected = "{ $.msg = \"change not applied\" && $.verdict = \"reject\" }"
    # A handler's panic; its message is given back.
    HandlerPanics = "{ $.msg = \"a handler panicked; its message is given back\" }"
  }
  log_namespace = "Tributary/${var.env}/${var.service}"
}

resource "aws_cloudwatch_log_metric_filter" "logged" {
  for_each = local.logged

  name           = each.key
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = each.value

  metric_transformation {
    namespace     = local.log_namespace
    name          = each.key
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${local.name}-logged-errors"
  alarm_description   = "${var.service} in ${var.env} logs errors: more than ${var.errors_per_5_minutes} in five minutes, twice in a row. Look into the log group ${aws_cloudwatch_log_group.this.name} for level ERROR. During a deployment this puts the last one back."
  namespace           = local.log_namespace
  metric_name         = aws_cloudwatch_log_metric_filter.logged["LoggedErrors"].metric_transformation[0].name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 2
  threshold           = var.errors_per_5_minutes
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags
}

# For deployments alone, and so it tells nobody: that of the dead-letter queue
# does, for as long as a letter lies there.
resource "aws_cloudwatch_metric_alarm" "rejected" {
  count = var.scaling.backlog == null ? 0 : 1

  alarm_name          = "${local.name}-rejected"
  alarm_description   = "${var.service} in ${var.env} rejected messages within the last five minutes. During a deployment this puts the last one back: look into ${aws_cloudwatch_log_group.this.name} for \"change not applied\"."
  namespace           = local.log_namespace
  metric_name         = aws_cloudwatch_log_metric_filter.logged["MessagesRejected"].metric_transformation[0].name
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  tags                = local.tags
}

# Where no task runs, ECS sends no metric at all: that is what the alarm is for.
# It comes after the service, whose tasks run by then if the apply waits for them:
# before, it would ring.
resource "aws_cloudwatch_metric_alarm" "running_tasks" {
  alarm_name          = "${local.name}-running-tasks"
  alarm_description   = "Fewer than ${var.scaling.min} tasks of ${var.service} run in ${var.env}, for five minutes. The service's events in ECS say why: the image, the rights of ${local.name}-execution, addresses in the subnets, or a program that ends; its last lines are in ${aws_cloudwatch_log_group.this.name}."
  namespace           = "ECS/ContainerInsights"
  metric_name         = "RunningTaskCount"
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  threshold           = var.scaling.min
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
  tags                = local.tags

  dimensions = {
    ClusterName = aws_ecs_cluster.this.name
    ServiceName = aws_ecs_service.this.name
  }
}
