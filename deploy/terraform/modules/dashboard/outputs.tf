output "name" {
  description = "The dashboard's name in CloudWatch."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "arn" {
  description = "The dashboard's ARN."
  value       = aws_cloudwatch_dashboard.this.dashboard_arn
}
