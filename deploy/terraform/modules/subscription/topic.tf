# The producer's topic, as its module topic wrote it down. Reading the whole
# folder, and not the one parameter, lets a missing one be told in our words.

locals {
  folder    = "/replication/${var.env}/topics"
  parameter = "${local.folder}/${local.declared}"

  values = var.topic_parameter_arn == null ? {
    for i, name in data.aws_ssm_parameters_by_path.topics[0].names : name => nonsensitive(data.aws_ssm_parameters_by_path.topics[0].values[i])
  } : { (local.parameter) = nonsensitive(data.aws_ssm_parameter.topic[0].value) }

  # What is not as module topic writes it is as good as not written: a plan says
  # which part, and does not end in a function that takes no null.
  written = try(jsondecode(local.values[local.parameter]), {})
  topic = {
    arn                 = try(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", local.written.arn), "")
    contract            = try(coalesce(tostring(local.written.contract)), "no contract")
    attributes          = try(tolist([for name in local.written.attributes : coalesce(tostring(name))]), tolist([]))
    service             = try(coalesce(tostring(local.written.service)), "its owner")
    subscriber_accounts = try(tolist([for account in local.written.subscriber_accounts : coalesce(tostring(account))]), tolist([]))
  }
  readable      = local.topic.arn != ""
  topic_account = try(split(":", local.topic.arn)[4], "")
  topic_name    = try(split(":", local.topic.arn)[5], "")
  topic_region  = try(split(":", local.topic.arn)[3], "")
  foreign_topic = local.topic_account != local.account
  lacking       = sort(setsubtract(var.subscription.attributes, local.topic.attributes))
}

data "aws_ssm_parameters_by_path" "topics" {
  count = var.topic_parameter_arn == null ? 1 : 0

  path = local.folder

  lifecycle {
    postcondition {
      condition     = contains(self.names, local.parameter)
      error_message = <<-EOT
        Nobody publishes ${local.contract} in ${var.env} yet: account ${local.account}, ${local.region} has no SSM parameter ${local.parameter}, which the producer's module topic writes. Apply the Terraform root of the service whose manifest publishes ${local.contract} first (in this repository deploy/terraform/services/<that service>), with env = "${var.env}", then this one. If another account owns the topic, set topic_parameter_arn (of module subscriber: topic_parameter_arns). ${length(self.names) == 0 ? "No topic at all is published there." : "Published there: ${join(", ", [for name in self.names : trimprefix(name, "${local.folder}/")])}."}
      EOT
    }
  }
}

data "aws_ssm_parameter" "topic" {
  count = var.topic_parameter_arn == null ? 0 : 1

  name = var.topic_parameter_arn

  lifecycle {
    precondition {
      condition     = split(":", var.topic_parameter_arn)[3] == local.region
      error_message = "The parameter ${var.topic_parameter_arn} is in ${split(":", var.topic_parameter_arn)[3]}, and so is its topic, and this root makes its queue in ${local.region}. Apply this root in ${split(":", var.topic_parameter_arn)[3]}."
    }
  }
}
