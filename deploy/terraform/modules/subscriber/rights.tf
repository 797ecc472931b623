# What the tasks may do at AWS: what the library needs for the manifest's
# subscriptions, and what the service says that its own code does.

locals {
  table_arns = { for name, t in module.table : name => "arn:${local.partition}:dynamodb:${local.region}:${local.account}:table/${t.name}" }

  copies         = flatten([for s in module.manifest.subscriptions : [for r in s.replicas : r if r.kind != "function"]])
  item_tables    = distinct([for r in local.copies : r.table if r.kind == "item"])
  fan_out_tables = distinct([for r in local.copies : r.table if r.kind == "fan-out"])

  # A statement without resources is none.
  statements = [for s in concat(local.queues, local.replication, var.task_statements, [module.key.table_statement]) : s if length(s.resources) > 0]

  # The module knows what its queues and their key ask for. A statement's name is
  # unique in a policy, so it gets the contract's.
  queues = flatten([for contract, s in module.subscription : [for statement in s.consumer_statements : {
    sid        = "${statement.sid}${replace(title(replace(contract, "/[^A-Za-z0-9]/", " ")), " ", "")}"
    actions    = statement.actions
    resources  = statement.resources
    conditions = statement.conditions
  }]])

  replication = [for s in [
    {
      # One by one, and 25 to a request (ADR 0009).
      sid       = "Copies"
      actions   = ["dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:UpdateItem"]
      resources = [for table in distinct(local.copies[*].table) : local.table_arns[table]]
    },
    {
      sid       = "FanOuts"
      actions   = ["dynamodb:Query"]
      resources = distinct([for r in local.copies : "${local.table_arns[r.table]}/index/${r.index}" if r.kind == "fan-out"])
    },
    {
      # A new local item takes its copy from the item replica, in a transaction
      # that checks it.
      sid       = "CopiesOfNewItems"
      actions   = ["dynamodb:ConditionCheckItem"]
      resources = [for table in local.item_tables : local.table_arns[table] if length(local.fan_out_tables) > 0]
    },
    {
      sid       = "NewItems"
      actions   = ["dynamodb:PutItem"]
      resources = [for table in local.fan_out_tables : local.table_arns[table]]
    },
    {
      sid       = "Canaries"
      actions   = ["dynamodb:PutItem"]
      resources = [for table in local.control_tables : local.table_arns[table]]
    },
  ] : merge(s, { conditions = {} })]
}
