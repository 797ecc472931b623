output "service" {
  description = "The service's name."
  value       = module.reading.service

  precondition {
    condition     = length(module.reading.problems) == 0
    error_message = <<-EOT
      The manifest of ${module.reading.service} is not safe to deploy:
      ${join("\n", [for p in module.reading.problems : "${p.at}: ${p.says} (${p.rule})."])}
      `replicactl lint` says why, and checks more.
    EOT
  }
}

output "tables" {
  description = "The tables, by name, for variable table of module table."
  value       = module.reading.tables
}

output "publications" {
  description = "What is published, by contract, for variable publication of modules topic and relay."
  value       = module.reading.publications
}

output "subscriptions" {
  description = "What is subscribed to, by contract, for variable subscription of module subscription."
  value       = module.reading.subscriptions
}
