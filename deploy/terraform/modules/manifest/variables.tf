variable "text" {
  description = "The content of the service's replication.yaml: file(\".../replication.yaml\")."
  type        = string
  nullable    = false

  validation {
    condition     = can(yamldecode(var.text).service)
    error_message = "That is no manifest: it is no YAML, or names no service. Give the file's content, file(\".../replication.yaml\"), and run replicactl lint on it."
  }
}
