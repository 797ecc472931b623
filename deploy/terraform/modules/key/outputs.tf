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

output "table_statement" {
  description = "What a role has to be allowed on the key to use tables that it encrypts, through DynamoDB alone."
  value = {
    sid = "TablesAtRest"
    # DynamoDB calls KMS for whoever uses a table, and the caller's rights count
    # (KMS, "How Amazon DynamoDB uses AWS KMS"). These are the actions that AWS's
    # own key for DynamoDB allows callers, in full, without kms:CreateGrant, which
    # making a table needs and using one does not.
    actions = [
      "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
      "kms:ReEncryptFrom", "kms:ReEncryptTo",
    ]
    resources  = [aws_kms_key.this.arn]
    conditions = { StringEquals = { "kms:ViaService" = ["dynamodb.${local.region}.amazonaws.com"] } }
  }
}

output "rotation" {
  description = "Whether KMS rotates the key every year."
  value       = aws_kms_key.this.enable_key_rotation
}
