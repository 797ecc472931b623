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
    module.key.table_statement,
  ]
}
