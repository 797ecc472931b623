output "name" {
  description = "The table's name."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "The table's ARN; its indexes are <arn>/index/<name>."
  value       = aws_dynamodb_table.this.arn
}

output "stream_arn" {
  description = "The ARN of the table's stream; null where it has none."
  value       = var.table.stream ? aws_dynamodb_table.this.stream_arn : null
}

output "source" {
  description = "What the relay module has to know of the table, for its variable table."
  value = {
    name          = aws_dynamodb_table.this.name
    arn           = aws_dynamodb_table.this.arn
    stream_arn    = var.table.stream ? aws_dynamodb_table.this.stream_arn : null
    ttl_attribute = var.table.ttl_attribute
    kms_key_arn   = var.kms_key_arn
    key_types     = { for k in local.table_keys : k.name => k.type }
  }
}

output "alarm_arns" {
  description = "The ARNs of the table's alarms."
  value       = [for name in sort(keys(aws_cloudwatch_metric_alarm.throttled)) : aws_cloudwatch_metric_alarm.throttled[name].arn]
}
