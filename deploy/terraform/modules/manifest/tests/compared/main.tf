# Every manifest of resolved.json, read by Terraform, in the shapes that Go wrote.

terraform {
  required_version = ">= 1.11.0"
}

locals {
  want = jsondecode(file("${path.module}/../../testdata/resolved.json"))

  got = { for file, m in module.reading : file => {
    service = m.service
    tables  = m.tables
    publications = { for contract, p in m.publications : contract => {
      topic             = p.topic
      table             = p.table
      key_attributes    = keys(p.key)
      version_attribute = p.version_attribute
      expires_at        = p.expires_at
      dead_letter_queue = p.dead_letter_queue
      checkpoint_table  = p.checkpoint_table
    } }
    subscriptions = { for contract, s in m.subscriptions : contract => {
      topic              = s.topic
      attributes         = s.attributes
      control_table      = s.control_table
      queue              = s.queue.name
      dead_letter_queue  = s.queue.dead_letter_queue
      max_receive_count  = s.queue.max_receive_count
      visibility_seconds = format("%.3f", s.queue.visibility_seconds)
      handler_seconds    = format("%.3f", s.queue.handler_seconds)
      filter_policy      = s.filter_policy
      replicas = [for r in s.replicas : r.kind == "function" ? jsonencode({ kind = r.kind, function = r.function }) : jsonencode({
        kind                = r.kind
        table               = r.table
        index               = r.index
        set                 = r.set
        version_attribute   = r.version_attribute
        on_delete           = r.on_delete
        create              = r.create
        atomic              = r.atomic
        second_pass_seconds = r.second_pass_seconds
      })]
    } }
  } }
}

module "reading" {
  source   = "../../reading"
  for_each = local.want

  text = file("${path.module}/../../${each.key}")
}

output "manifests" {
  value = keys(local.want)
}

# As JSON, since objects of different types are never equal.
output "want" {
  value = { for file, m in local.want : file => merge(m, { subscriptions = { for contract, s in m.subscriptions : contract => merge(s, { replicas = [for r in s.replicas : jsonencode(r)] }) } }) }
}

output "got" {
  value = local.got
}

output "problems" {
  value = { for file, m in module.reading : file => m.problems }
}
