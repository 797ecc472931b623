# The stats service: its tables, its subscriptions with their queues, its tasks
# and its dashboard, all of them from the manifest that the program reads too.
# rights.tf has what its own code does.

provider "aws" {
  region = var.region

  default_tags {
    tags = merge(var.tags, {
      environment = var.env
      service     = "stats"
      managed-by  = "terraform"
    })
  }
}

module "subscriber" {
  source           = "../../modules/subscriber"
  manifest         = file("${path.module}/../../../../services/stats/replication.yaml")
  env              = var.env
  image            = var.image
  network          = var.network
  alarm_topic_arns = var.alarm_topic_arns

  task_statements    = local.statements
  listen             = { variable = "STATS_ADDR", port = 8082 }
  load_balancer      = var.target_group_arn == null ? null : { target_group_arn = var.target_group_arn, port = 8082 }
  drain              = { timeout_seconds = 20, phases = 2, stop_seconds = 60 } # requests are let finish, and messages after them
  size               = var.size
  scaling            = var.scaling
  protected          = var.protected
  released_tables    = var.released_tables
  wait_for_tasks     = var.wait_for_tasks
  log_retention_days = var.log_retention_days
}
