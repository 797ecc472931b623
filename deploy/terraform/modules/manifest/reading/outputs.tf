output "service" {
  description = "The service's name."
  value       = local.service
}

output "tables" {
  description = "The tables, by name."
  value       = local.tables
}

output "publications" {
  description = "What is published, by contract."
  value       = local.publications
}

output "subscriptions" {
  description = "What is subscribed to, by contract."
  value       = local.subscriptions
}

output "problems" {
  description = "What is wrong with the manifest: the rule of lint that is broken, where, what is wrong and what to do."
  value       = local.problems
}
