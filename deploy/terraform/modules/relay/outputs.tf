output "role_arn" {
  description = "The function's role, which module topic has to let publish."
  value       = aws_iam_role.this.arn
}

output "function_name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "The function's ARN, without a version."
  value       = aws_lambda_function.this.arn
}

output "alias_arn" {
  description = "The ARN of the alias that the stream is mapped to."
  value       = aws_lambda_alias.live.arn
}

output "version" {
  description = "The version that the alias stands for."
  value       = aws_lambda_alias.live.function_version
}

output "mapping_id" {
  description = "The id of the event source mapping, a dimension of its metrics."
  value       = aws_lambda_event_source_mapping.this.uuid
}

output "dlq_name" {
  description = "The name of the relay's dead-letter queue."
  value       = aws_sqs_queue.dead.name
}

output "dlq_url" {
  description = "The URL of the relay's dead-letter queue."
  value       = aws_sqs_queue.dead.url
}

output "dlq_arn" {
  description = "The ARN of the relay's dead-letter queue."
  value       = aws_sqs_queue.dead.arn
}

output "failed_records_bucket" {
  description = "The bucket that Lambda puts failed batches into, whole."
  value       = aws_s3_bucket.failed.bucket
}

output "log_group_name" {
  description = "The function's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "kms_key_arn" {
  description = "The ARN of the relay's key: dead letters, failed records and logs."
  value       = module.key.arn
}

output "alarm_arns" {
  description = "The ARNs of the alarms by what they watch."
  value       = merge({ for what, alarm in aws_cloudwatch_metric_alarm.this : what => alarm.arn }, { unread = aws_cloudwatch_metric_alarm.unread.arn })
}
