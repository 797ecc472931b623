# The minimal manifest, broken in each way of refused.json.

terraform {
  required_version = ">= 1.11.0"
}

locals {
  minimal = file("${path.module}/../../testdata/minimal.yaml")
  edits   = jsondecode(file("${path.module}/../../testdata/refused.json"))
}

module "reading" {
  source = "../../reading"
  count  = length(local.edits)

  # One replacement: what comes before the first place, the new text, the rest.
  text = join(local.edits[count.index].new, [
    split(local.edits[count.index].old, local.minimal)[0],
    join(local.edits[count.index].old, slice(split(local.edits[count.index].old, local.minimal), 1, length(split(local.edits[count.index].old, local.minimal)))),
  ])
}

output "missed" {
  value = [for i, edit in local.edits : "${edit.rule}: ${edit.new} found ${jsonencode(module.reading[i].problems)}" if !contains([for p in module.reading[i].problems : p.rule], edit.rule)]
}

output "rules" {
  value = length(distinct(local.edits[*].rule))
}
