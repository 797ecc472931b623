output "queues" {
  description = "The names of the queue and the dead-letter queue of each subscription, by contract."
  value       = { for contract, s in module.subscription : contract => { queue = s.queue_name, dead_letters = s.dlq_name } }
}

output "topics" {
  description = "The ARN of the topic of each subscription, by contract."
  value       = { for contract, s in module.subscription : contract => s.topic_arn }
}

output "table_arns" {
  description = "The ARN of each table, by the manifest's name."
  value       = local.table_arns
}

output "task_role_arn" {
  description = "The role of the program."
  value       = module.consumer.task_role_arn
}

output "task_policy" {
  description = "The policy of the program's role, as JSON."
  value       = module.consumer.task_policy
}

output "container" {
  description = "The container's definition."
  value       = module.consumer.container
}

output "rollback_alarms" {
  description = "The names of the alarms that put a deployment back."
  value       = module.consumer.rollback_alarms
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
