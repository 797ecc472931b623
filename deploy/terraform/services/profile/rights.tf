# What the API may do at AWS: the calls of services/profile/internal/dynamo on
# the tables that hold the published items. It publishes nothing and reads no
# stream; the relay has a role of its own.

locals {
  statements = [
    {
      sid     = "Items"
      actions = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:UpdateItem"]
      resources = [
        for name in distinct([for p in local.publications : p.table]) :
        "arn:${local.partition}:dynamodb:${var.region}:${local.account}:table/${module.table[name].name}"
      ]
      conditions = {}
    },
    {
      # Only through the service whose data the key protects. These are what
      # AWS lists for whoever uses a table (DynamoDB, "Encryption at rest: How it
      # works", on customer managed keys), without the grants, which making
      # tables needs.
      sid        = "TablesAtRest"
      actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      resources  = [module.key.arn]
      conditions = { StringEquals = { "kms:ViaService" = ["dynamodb.${var.region}.amazonaws.com"] } }
    },
  ]
}
