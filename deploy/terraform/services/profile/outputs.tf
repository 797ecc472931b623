output "topics" {
  description = "The topics' ARNs, by contract."
  value       = { for contract, t in module.topic : contract => t.arn }
}

output "topic_parameters" {
  description = "The ARNs of the SSM parameters that subscribers read, by contract. Subscribers in other accounts are given them."
  value       = { for contract, t in module.topic : contract => t.parameter_arn }
}

output "relays" {
  description = "The relays' functions, the mappings that call them (disabling one pauses replication), dead-letter queues and buckets of failed records, by contract."
  value = { for contract, r in module.relay : contract => {
    function       = r.function_name
    mapping        = r.mapping_id
    dead_letters   = r.dlq_url
    failed_records = r.failed_records_bucket
  } }

  precondition {
    condition     = alltrue([for contract, r in module.relay : r.role_arn == local.relay_roles[contract]])
    error_message = "The topics let ${join(", ", values(local.relay_roles))} publish, and the relays are ${join(", ", [for r in module.relay : r.role_arn])}: nothing would be published. Module relay names its role otherwise than main.tf expects; set local.relay_roles to its names."
  }
}

output "tables" {
  description = "The tables' names."
  value       = [for t in module.table : t.name]
}

output "cluster" {
  description = "The ECS cluster and, after the slash, the service of the API."
  value       = "${module.api.cluster_name}/${module.api.service_name}"
}

output "log_group" {
  description = "Where the API's tasks log."
  value       = module.api.log_group_name
}

output "dashboard" {
  description = "The dashboard's name in CloudWatch."
  value       = module.dashboard.name
}
