# What is rendered: the container, the roles' policies, how a deployment is put
# back, and the scaling.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-west-1:123456789012:cluster/test-stats" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/test-stats:1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:mocked" }
  }
}

variables {
  env     = "test"
  service = "stats"
  image   = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tributary/stats@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  network = {
    subnet_ids         = ["subnet-a", "subnet-b"]
    security_group_ids = ["sg-a"]
  }
  environment = { STATS_ADDR = ":8082" }
  kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  task_statements = [{
    sid        = "Queue"
    actions    = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
    resources  = ["arn:aws:sqs:eu-west-1:123456789012:stats-company-profile-v1"]
    conditions = { Bool = { "aws:SecureTransport" = ["true"] } }
  }]
  scaling         = { min = 2, max = 8, backlog = { queue_names = ["stats-company-profile-v1"], messages_per_task = 5000 } }
  drain           = { timeout_seconds = 20, phases = 2, stop_seconds = 60 }
  rollback_alarms = ["test-stats-queue-age"]
}

run "container" {
  command = apply

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem == true
    error_message = "The root filesystem can be written."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].user == "65532:65532" && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].privileged == false
    error_message = "The container runs as root, or privileged."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities == { drop = ["ALL"] }
    error_message = "The container keeps capabilities."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout == 60
    error_message = "The container is not given its time to stop."
  }
  assert {
    condition = { for e in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : e.name => e.value } == {
      AWS_REGION = "eu-west-1", DRAIN_TIMEOUT = "20s", GOMEMLIMIT = "460MiB", STATS_ADDR = ":8082",
    }
    error_message = "The environment is not what was given and what the module adds."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].logConfiguration.options["awslogs-group"] == "/ecs/test/stats"
    error_message = "The logs go elsewhere than to the encrypted group."
  }
  assert {
    condition     = aws_ecs_task_definition.this.runtime_platform[0].cpu_architecture == "ARM64" && aws_ecs_task_definition.this.network_mode == "awsvpc" && aws_ecs_task_definition.this.skip_destroy
    error_message = "The task is not for arm64 in a network of its own, or its earlier revisions are deregistered."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn && aws_cloudwatch_log_group.this.retention_in_days == 90
    error_message = "The log group is not encrypted with the customer key, or kept for ever."
  }
}

run "deployment" {
  command = apply

  assert {
    condition     = aws_ecs_service.this.network_configuration[0].assign_public_ip == false && aws_ecs_service.this.enable_execute_command == false
    error_message = "Tasks get a public address, or can be entered."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "A deployment whose tasks do not start is not put back."
  }
  assert {
    condition     = aws_ecs_service.this.timeouts.create == "45m" && aws_ecs_service.this.timeouts.update == "45m"
    error_message = "An apply gives up before ECS has watched the alarms to the end."
  }
  assert {
    condition     = aws_ecs_service.this.alarms[0].enable && aws_ecs_service.this.alarms[0].rollback && toset(aws_ecs_service.this.alarms[0].alarm_names) == toset(["test-stats-logged-errors", "test-stats-rejected", "test-stats-queue-age"])
    error_message = "A deployment is not put back by its alarms."
  }
  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_maximum_percent == 200
    error_message = "A deployment takes tasks away before new ones run."
  }
  assert {
    condition     = length(aws_ecs_service.this.load_balancer) == 0 && length(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings) == 0
    error_message = "A service without a load balancer has one."
  }
}

run "tags" {
  command = apply

  assert {
    condition     = aws_ecs_service.this.enable_ecs_managed_tags && aws_ecs_service.this.propagate_tags == "SERVICE"
    error_message = "Tasks do not carry their service's tags, or not the names of service and cluster."
  }
}

run "behind_a_load_balancer" {
  command = apply

  variables {
    load_balancer = {
      target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/stats/0123456789abcdef"
      port             = 8082
    }
  }

  assert {
    condition     = one(aws_ecs_service.this.load_balancer).container_port == 8082 && one(aws_ecs_service.this.load_balancer).container_name == "stats"
    error_message = "The target group does not reach the container's port."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].portMappings[0].containerPort == 8082
    error_message = "The container's port is not mapped."
  }
  assert {
    condition     = aws_ecs_service.this.health_check_grace_period_seconds == 30
    error_message = "A task has no time to start before the load balancer's checks count."
  }
}

run "rights" {
  command = apply

  assert {
    condition = jsondecode(aws_iam_role_policy.task.policy).Statement == [{
      Sid       = "Queue"
      Effect    = "Allow"
      Action    = ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
      Resource  = ["arn:aws:sqs:eu-west-1:123456789012:stats-company-profile-v1"]
      Condition = { Bool = { "aws:SecureTransport" = ["true"] } }
    }]
    error_message = "The program may do other things than the statements say."
  }
  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.execution.policy).Statement : s.Sid => s.Resource } == {
      Registry = ["*"]
      Image    = ["arn:aws:ecr:eu-west-1:123456789012:repository/tributary/stats"]
      Logs     = ["arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/test/stats:*"]
    }
    error_message = "ECS may pull other images than this one, or write to other log groups."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.execution.policy).Statement : s.Action if s.Sid == "Registry"] == [["ecr:GetAuthorizationToken"]]
    error_message = "More than the one action that takes no resource is allowed on all."
  }
  assert {
    condition     = jsondecode(aws_iam_role.task.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "Another account's tasks can take the role."
  }
}

run "image_of_another_registry" {
  command = apply

  variables {
    image = "registry.example.com/stats@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.execution.policy).Statement[*].Sid == ["Logs"]
    error_message = "ECS has rights at ECR that it has no use for."
  }
}

run "scaling" {
  command = apply

  assert {
    condition     = aws_appautoscaling_target.tasks.min_capacity == 2 && aws_appautoscaling_target.tasks.max_capacity == 8 && aws_appautoscaling_target.tasks.resource_id == "service/test-stats/stats"
    error_message = "Another service is scaled, or to other bounds."
  }
  assert {
    condition     = aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].target_value == 5000
    error_message = "The target is not the backlog of one task."
  }
  assert {
    condition = {
      for m in aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics :
      m.id => try(m.metric_stat[0].metric[0].metric_name, m.expression)
      } == {
      visible0 = "ApproximateNumberOfMessagesVisible"
      running  = "RunningTaskCount"
      backlog  = "(visible0) / IF(running > 0, running, 1)"
    }
    error_message = "The metric is not the visible messages before each running task."
  }
  assert {
    condition = [
      for m in aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics : m.id if m.return_data
    ] == ["backlog"]
    error_message = "Other than one series is returned."
  }
  assert {
    condition     = aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "The processor is not watched."
  }
}

run "scaling_by_two_queues" {
  command = plan

  variables {
    scaling = { backlog = { queue_names = ["a", "b"], messages_per_task = 1000 } }
  }

  assert {
    condition = [
      for m in aws_appautoscaling_policy.backlog[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metrics : m.expression if m.return_data
    ] == ["(visible0 + visible1) / IF(running > 0, running, 1)"]
    error_message = "The backlog is not that of both queues."
  }
}

run "without_a_queue" {
  command = plan

  variables {
    scaling = {}
  }

  assert {
    condition     = length(aws_appautoscaling_policy.backlog) == 0
    error_message = "A service without a queue is scaled by one."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.rejected) == 0 && toset(local.rollback_alarms) == toset(["test-stats-logged-errors", "test-stats-queue-age"])
    error_message = "A service that receives nothing is watched for what it rejects."
  }
}

run "alarms" {
  command = apply

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:on-call"]
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.running_tasks.threshold == 2 && aws_cloudwatch_metric_alarm.running_tasks.treat_missing_data == "breaching"
    error_message = "That no task runs, which sends no metric, does not alarm."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.running_tasks.dimensions == tomap({ ClusterName = "test-stats", ServiceName = "stats" })
    error_message = "The alarm watches another service."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.errors.namespace == "Tributary/test/stats" && aws_cloudwatch_metric_alarm.errors.metric_name == "LoggedErrors"
    error_message = "The alarm watches a metric that no filter counts."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.rejected[0].namespace == "Tributary/test/stats" && aws_cloudwatch_metric_alarm.rejected[0].metric_name == "MessagesRejected" && aws_cloudwatch_metric_alarm.rejected[0].threshold == 0
    error_message = "A version that rejects messages is not put back."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.rejected[0].period * aws_cloudwatch_metric_alarm.rejected[0].evaluation_periods <= 600 && aws_cloudwatch_metric_alarm.rejected[0].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.rejected[0].alarm_actions == null
    error_message = "What was rejected long ago rings on, and ECS watches no deployment; or it wakes somebody, whom the dead-letter queue has woken."
  }
  assert {
    condition     = alltrue([for a in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.running_tasks] : toset(a.alarm_actions) == toset(["arn:aws:sns:eu-west-1:123456789012:on-call"])])
    error_message = "Nobody is told of an alarm."
  }
  assert {
    condition     = aws_cloudwatch_log_metric_filter.logged["MessagesRejected"].pattern == "{ $.msg = \"change not applied\" && $.verdict = \"reject\" }"
    error_message = "Rejected messages are not counted from what the services log."
  }
}
