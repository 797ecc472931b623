output "cluster_name" {
  description = "The cluster's name: a dimension of ECS's metrics."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "The ECS service's name: a dimension of ECS's metrics."
  value       = aws_ecs_service.this.name
}

output "log_group_name" {
  description = "Where the tasks log."
  value       = aws_cloudwatch_log_group.this.name
}

output "log_metric_namespace" {
  description = "The namespace of what is counted in the log: LoggedErrors, MessagesRetried, MessagesRejected and HandlerPanics."
  value       = local.log_namespace
}

output "task_role_arn" {
  description = "The role of the program."
  value       = aws_iam_role.task.arn
}

output "alarm_arns" {
  description = "The module's alarms, for the dashboard."
  value       = concat([aws_cloudwatch_metric_alarm.errors.arn, aws_cloudwatch_metric_alarm.running_tasks.arn], aws_cloudwatch_metric_alarm.rejected[*].arn)
}

output "task_policy" {
  description = "The policy of the program's role, as JSON."
  value       = aws_iam_role_policy.task.policy
}

output "container" {
  description = "The container's definition."
  value       = local.container
}

output "rollback_alarms" {
  description = "The names of the alarms that put a deployment back."
  value       = local.rollback_alarms
}
