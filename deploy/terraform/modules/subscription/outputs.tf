output "queue_name" {
  description = "The queue's name."
  value       = aws_sqs_queue.this.name
}

output "queue_url" {
  description = "The queue's URL."
  value       = aws_sqs_queue.this.url
}

output "queue_arn" {
  description = "The queue's ARN."
  value       = aws_sqs_queue.this.arn
}

output "dlq_name" {
  description = "The dead-letter queue's name."
  value       = aws_sqs_queue.dead.name
}

output "dlq_url" {
  description = "The dead-letter queue's URL."
  value       = aws_sqs_queue.dead.url
}

output "dlq_arn" {
  description = "The dead-letter queue's ARN."
  value       = aws_sqs_queue.dead.arn
}

output "kms_key_arn" {
  description = "The ARN of the key of both queues."
  value       = module.key.arn
}

output "subscription_arn" {
  description = "The subscription's ARN."
  value       = aws_sns_topic_subscription.this.arn
}

output "topic_arn" {
  description = "The ARN of the topic that is subscribed to."
  value       = local.topic.arn
}

output "producer" {
  description = "The service that publishes the contract."
  value       = local.topic.service
}

output "handler_timeout_seconds" {
  description = "How long the service may work on a message."
  value       = local.handler
}

output "visibility_timeout_seconds" {
  description = "How long SQS hides a message that was received."
  value       = local.visibility
}

output "alarm_names" {
  description = "The names of the alarms by what they watch: age, dead-letters and so on. A rollback of a deployment listens to age."
  value       = { for what, alarm in aws_cloudwatch_metric_alarm.this : what => alarm.alarm_name }
}

output "alarm_arns" {
  description = "The ARNs of the alarms by what they watch."
  value       = { for what, alarm in aws_cloudwatch_metric_alarm.this : what => alarm.arn }
}

output "consumer_statements" {
  description = "What the consumer's role has to be allowed, for task_statements of module consumer."
  value       = local.consumer_statements
}
