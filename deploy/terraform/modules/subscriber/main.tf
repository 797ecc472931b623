data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  service   = module.manifest.service
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # The manifest may leave a control table's declaration out; its form is always
  # the same.
  control_tables = distinct([for s in module.manifest.subscriptions : s.control_table])
  tables = merge(module.manifest.tables, {
    for name in local.control_tables : name => { name = name, partition_key = { name = "id", type = "S" }, ttl_attribute = "expiresAt" } if !contains(keys(module.manifest.tables), name)
  })

  health_port = var.load_balancer == null ? var.listen.port : var.load_balancer.port
}

module "manifest" {
  source = "../manifest"

  text = var.manifest
}

# One key for the service's tables and logs. Its queues have their own, which
# SNS may use.
module "key" {
  source = "../key"

  name        = "${var.env}/${local.service}"
  description = "Tables and logs of ${local.service}, ${var.env}, at rest"
  log_groups  = ["/ecs/${var.env}/${local.service}"]
  tags        = merge(var.tags, { environment = var.env, service = local.service })
}

module "table" {
  source   = "../table"
  for_each = local.tables

  env              = var.env
  service          = local.service
  table            = each.value
  kms_key_arn      = module.key.arn
  protected        = var.protected && !contains(var.released_tables, each.key)
  alarm_topic_arns = var.alarm_topic_arns
  tags             = var.tags
}

module "subscription" {
  source   = "../subscription"
  for_each = module.manifest.subscriptions

  env              = var.env
  service          = local.service
  subscription     = each.value
  alarm_topic_arns = var.alarm_topic_arns
  tags             = var.tags

  topic_parameter_arn = lookup(var.topic_parameter_arns, each.key, null)
}

module "consumer" {
  source = "../consumer"

  env                = var.env
  service            = local.service
  image              = var.image
  size               = var.size
  network            = var.network
  environment        = merge(var.environment, { (var.listen.variable) = ":${local.health_port}" })
  load_balancer      = var.load_balancer
  drain              = var.drain
  kms_key_arn        = module.key.arn
  log_retention_days = var.log_retention_days
  task_statements    = local.statements

  wait_for_steady_state = var.wait_for_tasks
  alarm_topic_arns      = var.alarm_topic_arns
  tags                  = var.tags

  scaling = {
    min = var.scaling.min
    max = var.scaling.max
    backlog = {
      queue_names       = [for s in module.subscription : s.queue_name]
      messages_per_task = var.scaling.messages_per_task
    }
  }

  # A version that falls behind is put back; one that sets messages aside is by
  # module consumer's own alarm.
  rollback_alarms = [for s in module.subscription : s.alarm_names["age"]]
}

module "dashboard" {
  source = "../dashboard"

  env     = var.env
  service = local.service
  queues  = [for s in module.subscription : { name = s.queue_name, dead_letter_queue = s.dlq_name }]
  tables  = [for name, t in local.tables : { name = module.table[name].name, indexes = [for ix in try(t.indexes, []) : ix.name] }]
  tasks = {
    cluster_name         = module.consumer.cluster_name
    service_name         = module.consumer.service_name
    log_group_name       = module.consumer.log_group_name
    log_metric_namespace = module.consumer.log_metric_namespace
  }
  alarm_arns = concat(
    module.consumer.alarm_arns,
    flatten([for s in module.subscription : values(s.alarm_arns)]),
    flatten([for t in module.table : t.alarm_arns]),
  )
}
