output "arn" {
  description = "The key's ARN."
  value       = aws_kms_key.this.arn
}

output "id" {
  description = "The key's id."
  value       = aws_kms_key.this.key_id
}

output "alias" {
  description = "The key's alias, with alias/ before its name."
  value       = aws_kms_alias.this.name
}

output "policy" {
  description = "The key's policy, JSON."
  value       = aws_kms_key.this.policy
}

output "rotation" {
  description = "Whether KMS rotates the key every year."
  value       = aws_kms_key.this.enable_key_rotation
}
