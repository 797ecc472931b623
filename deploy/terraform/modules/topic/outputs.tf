output "name" {
  description = "The topic's name."
  value       = aws_sns_topic.this.name
}

output "arn" {
  description = "The topic's ARN."
  value       = aws_sns_topic.this.arn
}

output "kms_key_arn" {
  description = "The ARN of the topic's key."
  value       = module.key.arn
}

output "parameter_name" {
  description = "The SSM parameter that subscribers read."
  value       = aws_ssm_parameter.this.name
}

output "parameter_arn" {
  description = "The parameter's ARN, by which subscribers in other accounts read it."
  value       = aws_ssm_parameter.this.arn
}

output "alarm_arns" {
  description = "The ARNs of the topic's alarms."
  value       = [for name in sort(keys(aws_cloudwatch_metric_alarm.this)) : aws_cloudwatch_metric_alarm.this[name].arn]
}
