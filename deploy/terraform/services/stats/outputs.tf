output "queues" {
  description = "The names of the queue and the dead-letter queue of each subscription, by contract."
  value       = module.subscriber.queues
}

output "tables" {
  description = "The tables' ARNs, by their names."
  value       = module.subscriber.table_arns
}

output "cluster" {
  description = "The ECS cluster and, after the slash, the service."
  value       = module.subscriber.cluster
}

output "log_group" {
  description = "Where the tasks log."
  value       = module.subscriber.log_group
}

output "dashboard" {
  description = "The dashboard's name in CloudWatch."
  value       = module.subscriber.dashboard
}
