output "queues" {
  description = "The URLs of the queue and the dead-letter queue of each subscription, by contract."
  value       = { for contract, s in module.subscription : contract => { queue = s.queue_url, dead_letters = s.dlq_url } }
}

output "tables" {
  description = "The tables' names."
  value       = [for t in module.table : t.name]
}

output "cluster" {
  description = "The ECS cluster and, after the slash, the service."
  value       = "${module.consumer.cluster_name}/${module.consumer.service_name}"
}

output "log_group" {
  description = "Where the tasks log."
  value       = module.consumer.log_group_name
}

output "dashboard" {
  description = "The dashboard's name in CloudWatch."
  value       = module.dashboard.name
}
