variable "path" {
  description = "The manifest's file."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.path)
    error_message = "There is no manifest at ${var.path}. Give the path of the service's replication.yaml, from path.module on."
  }
}
