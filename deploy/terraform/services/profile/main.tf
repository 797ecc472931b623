# The profile service: its tables, the topic and the relay of each contract that
# it publishes, the tasks of its API and its dashboard, all of them from the
# manifest that the programs read too. rights.tf has what the API may do.

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
  service      = module.manifest.service
  publications = module.manifest.publications

  # Every attribute of a contract, by its schema: the manifest names those that
  # are fed by an item attribute of another name.
  contract_attributes = { for contract in keys(local.publications) : contract => keys(
    jsondecode(file("${path.module}/../../../../pkg/contracts/schema/${replace(contract, "/", ".")}.json")).properties.attributes.properties
  ) }

  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # The relay's role by its name: the topic's policy names the role, and the role
  # the topic, and a module that is made for each contract is referred to as a
  # whole. The output relays holds the name against the role's own.
  relay_roles = { for contract, p in local.publications :
    contract => "arn:${local.partition}:iam::${local.account}:role/${local.service}-${p.topic}-relay"
  }
}

module "manifest" {
  source = "../../modules/manifest"

  text = file("${path.module}/../../../../services/profile/replication.yaml")
}

# One key for the service's tables and the API's logs. The topic and the relay
# have their own, which SNS and Lambda use.
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

module "topic" {
  source   = "../../modules/topic"
  for_each = local.publications

  env     = var.env
  service = local.service
  publication = {
    contract   = each.key
    topic      = each.value.topic
    attributes = local.contract_attributes[each.key]
  }
  publisher_role_arn  = local.relay_roles[each.key]
  operator_role_arns  = var.operator_role_arns
  subscriber_accounts = var.subscriber_accounts
  alarm_topic_arns    = var.alarm_topic_arns
}

module "relay" {
  source   = "../../modules/relay"
  for_each = local.publications

  env                = var.env
  service            = local.service
  publication        = each.value
  table              = module.table[each.value.table].source
  topic_arn          = module.topic[each.key].arn
  topic_kms_key_arn  = module.topic[each.key].kms_key_arn
  package            = var.relay_package
  log_retention_days = var.log_retention_days
  alarm_topic_arns   = var.alarm_topic_arns
}

module "api" {
  source = "../../modules/consumer"

  env                = var.env
  service            = local.service
  image              = var.image
  size               = var.size
  network            = var.network
  environment        = { PROFILE_ADDR = ":8081" }
  kms_key_arn        = module.key.arn
  log_retention_days = var.log_retention_days
  task_statements    = local.statements

  wait_for_steady_state = var.wait_for_tasks
  scaling               = var.scaling
  alarm_topic_arns      = var.alarm_topic_arns

  load_balancer = var.target_group_arn == null ? null : { target_group_arn = var.target_group_arn, port = 8081 }
}

module "dashboard" {
  source = "../../modules/dashboard"

  env     = var.env
  service = local.service
  topics  = [for t in module.topic : t.name]
  relays  = [for r in module.relay : { function_name = r.function_name, mapping_id = r.mapping_id, dead_letter_queue = r.dlq_name }]
  tables  = [for name, t in module.manifest.tables : { name = module.table[name].name, indexes = t.indexes[*].name }]
  tasks = {
    cluster_name         = module.api.cluster_name
    service_name         = module.api.service_name
    log_group_name       = module.api.log_group_name
    log_metric_namespace = module.api.log_metric_namespace
  }
  alarm_arns = concat(
    module.api.alarm_arns,
    flatten([for r in module.relay : values(r.alarm_arns)]),
    flatten([for t in module.topic : t.alarm_arns]),
    flatten([for t in module.table : t.alarm_arns]),
  )
}
