variable "text" {
  description = "The manifest, YAML."
  type        = string
  nullable    = false
}
