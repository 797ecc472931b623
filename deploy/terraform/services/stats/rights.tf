# What the service's own code does with its tables (services/stats/internal/dynamo).
# What its copies need is the subscriber module's.

locals {
  table_arns = module.subscriber.table_arns

  statements = [
    {
      sid       = "Companies"
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = [local.table_arns["company-stats"]]
    },
    {
      sid       = "Leaderboards"
      actions   = ["dynamodb:Query"]
      resources = ["${local.table_arns["company-stats"]}/index/by-sector"]
    },
    {
      sid       = "Statistics"
      actions   = ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"]
      resources = [local.table_arns["statistics"]]
    },
    {
      sid       = "Watchlists"
      actions   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:Query"]
      resources = [local.table_arns["watchlists"]]
    },
  ]
}
