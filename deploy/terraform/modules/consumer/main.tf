# A service's tasks: its cluster, its one ECS service on Fargate and how that is
# deployed and scaled. roles.tf has what the tasks may do, alarms.tf what is
# watched.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  name      = "${var.env}-${var.service}"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  tags      = merge(var.tags, { environment = var.env, service = var.service })

  # What rings by itself only while something happens: ECS watches none of them
  # during a deployment that begins while one rings, so that letters lying in a
  # dead-letter queue would have every deployment go unwatched.
  rollback_alarms = concat(
    [aws_cloudwatch_metric_alarm.errors.alarm_name],
    aws_cloudwatch_metric_alarm.rejected[*].alarm_name,
    var.rollback_alarms,
  )

  environment = merge(var.environment, {
    AWS_REGION    = local.region
    DRAIN_TIMEOUT = "${var.drain.timeout_seconds}s"
    # Go's collector then works harder before the kernel ends the container.
    GOMEMLIMIT = "${floor(var.size.memory * 0.9)}MiB"
  })

  container = {
    name                   = var.service
    image                  = var.image
    essential              = true
    user                   = "65532:65532"
    privileged             = false
    readonlyRootFilesystem = true
    stopTimeout            = var.drain.stop_seconds
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    environment            = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    portMappings           = [for lb in var.load_balancer[*] : { containerPort = lb.port, hostPort = lb.port, protocol = "tcp" }]
    mountPoints            = []
    volumesFrom            = []
    systemControls         = []
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "task"
        # Where CloudWatch Logs does not answer, lines are lost and not the
        # time of the tasks, which would wait for it.
        mode            = "non-blocking"
        max-buffer-size = "4m"
      }
    }
  }
}

# A cluster costs nothing. One a service keeps services out of each other's way,
# and Container Insights counts their running tasks.
resource "aws_ecs_cluster" "this" {
  name = local.name
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.env}/${var.service}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = local.tags
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions    = jsonencode([local.container])

  # Earlier revisions stay: a rollback starts tasks of the one before, which is
  # not possible once it is deregistered. Revisions cost nothing.
  skip_destroy = true

  tags = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }
}

resource "aws_ecs_service" "this" {
  name             = var.service
  cluster          = aws_ecs_cluster.this.arn
  task_definition  = aws_ecs_task_definition.this.arn
  launch_type      = "FARGATE"
  platform_version = "1.4.0"
  desired_count    = var.scaling.min

  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = var.load_balancer == null ? null : 30
  enable_execute_command             = false
  enable_ecs_managed_tags            = true # the cluster's and the service's names at each task, by which costs are told apart
  propagate_tags                     = "SERVICE"
  wait_for_steady_state              = var.wait_for_steady_state
  tags                               = local.tags

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = var.network.security_group_ids
    assign_public_ip = false
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  alarms {
    enable      = true
    rollback    = true
    alarm_names = local.rollback_alarms
  }

  dynamic "load_balancer" {
    for_each = var.load_balancer[*]

    content {
      target_group_arn = load_balancer.value.target_group_arn
      container_name   = var.service
      container_port   = load_balancer.value.port
    }
  }

  # ECS goes on watching the rollback alarms after the last old task is gone, as
  # long as their settings take, and the deployment is not over before.
  timeouts {
    create = "45m"
    update = "45m"
  }

  lifecycle {
    # The number of tasks is the scaling's.
    ignore_changes = [desired_count]
  }

  # The rights come before the tasks that need them, and go after them.
  depends_on = [aws_iam_role_policy.task, aws_iam_role_policy.execution]
}

resource "aws_appautoscaling_target" "tasks" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.scaling.min
  max_capacity       = var.scaling.max
  tags               = local.tags
}

# Of several policies the one that wants the most tasks prevails, and tasks are
# taken away only where all agree (AWS, "Target tracking scaling policies for
# Application Auto Scaling").
resource "aws_appautoscaling_policy" "cpu" {
  name               = "${local.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.tasks.service_namespace
  resource_id        = aws_appautoscaling_target.tasks.resource_id
  scalable_dimension = aws_appautoscaling_target.tasks.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.scaling.cpu_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# The queue's length alone says nothing about how many tasks it takes, and
# consumers that wait for DynamoDB use little CPU while they fall behind: so the
# messages before each running task, as AWS advises ("Create a target tracking
# scaling policy for Application Auto Scaling using metric math").
resource "aws_appautoscaling_policy" "backlog" {
  count = var.scaling.backlog == null ? 0 : 1

  name               = "${local.name}-backlog-per-task"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.tasks.service_namespace
  resource_id        = aws_appautoscaling_target.tasks.resource_id
  scalable_dimension = aws_appautoscaling_target.tasks.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.scaling.backlog.messages_per_task
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      dynamic "metrics" {
        for_each = var.scaling.backlog.queue_names

        content {
          id          = "visible${metrics.key}"
          label       = "Messages in ${metrics.value} that no task holds"
          return_data = false

          metric_stat {
            stat = "Sum"

            metric {
              namespace   = "AWS/SQS"
              metric_name = "ApproximateNumberOfMessagesVisible"

              dimensions {
                name  = "QueueName"
                value = metrics.value
              }
            }
          }
        }
      }

      metrics {
        id          = "running"
        label       = "Running tasks"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.this.name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.this.name
            }
          }
        }
      }

      metrics {
        id          = "backlog"
        label       = "Messages before each running task"
        expression  = "(${join(" + ", [for i in range(length(var.scaling.backlog.queue_names)) : "visible${i}"])}) / IF(running > 0, running, 1)"
        return_data = true
      }
    }
  }
}
