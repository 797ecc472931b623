# The stats service: its tables, its subscriptions with their queues, its tasks
# and its dashboard, all of them from the manifest that the program reads too.
# rights.tf has what the tasks may do.

provider "aws" {
  region = var.region

  default_tags {
    tags = merge(var.tags, {
      environment = var.env
      service     = local.service
      managed-by  = "terraform"
    })
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  service = module.manifest.service

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
}

module "manifest" {
  source = "../../modules/manifest"

  text = file("${path.module}/../../../../services/stats/replication.yaml")
}

# One key for the service's tables and logs. Its queues have their own, which
# SNS may use.
module "key" {
  source = "../../modules/key"

  name        = "${var.env}/${local.service}"
  description = "Tables and logs of ${local.service}, ${var.env}, at rest"
  log_groups  = ["/ecs/${var.env}/${local.service}"]
}

module "table" {
  source   = "../../modules/table"
  for_each = module.manifest.tables

  env              = var.env
  service          = local.service
  table            = each.value
  kms_key_arn      = module.key.arn
  protected        = var.protected && !contains(var.released_tables, each.key)
  alarm_topic_arns = var.alarm_topic_arns
}

module "subscription" {
  source   = "../../modules/subscription"
  for_each = module.manifest.subscriptions

  env              = var.env
  service          = local.service
  subscription     = each.value
  alarm_topic_arns = var.alarm_topic_arns
}

module "consumer" {
  source = "../../modules/consumer"

  env                = var.env
  service            = local.service
  image              = var.image
  size               = var.size
  network            = var.network
  environment        = { STATS_ADDR = ":8082" }
  kms_key_arn        = module.key.arn
  log_retention_days = var.log_retention_days
  task_statements    = local.statements

  wait_for_steady_state = var.wait_for_tasks
  alarm_topic_arns      = var.alarm_topic_arns

  # Requests are let finish, and messages after them.
  drain = { timeout_seconds = 20, phases = 2, stop_seconds = 60 }

  load_balancer = var.target_group_arn == null ? null : { target_group_arn = var.target_group_arn, port = 8082 }

  scaling = {
    min = var.scaling.min
    max = var.scaling.max
    backlog = {
      queue_names       = [for s in module.subscription : s.queue_name]
      messages_per_task = var.scaling.messages_per_task
    }
  }

  # A version that falls behind, or sets messages aside, is put back.
  rollback_alarms = flatten([for s in module.subscription : [s.alarm_names["age"], s.alarm_names["dead-letters"]]])
}

module "dashboard" {
  source = "../../modules/dashboard"

  env     = var.env
  service = local.service
  queues  = [for s in module.subscription : { name = s.queue_name, dead_letter_queue = s.dlq_name }]
  tables  = [for name, t in module.manifest.tables : { name = module.table[name].name, indexes = t.indexes[*].name }]
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
