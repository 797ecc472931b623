# Two roles: what ECS needs to start a task, and what the program may do.

locals {
  # An image of another registry than ECR is pulled without rights of AWS.
  ecr = try(regex("^(?P<account>[0-9]{12})\\.dkr\\.ecr\\.(?P<region>[a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?/(?P<repository>[^@:]+)", var.image), null)

  # Only tasks of this account's clusters may take the roles: the confused
  # deputy of AWS, "Amazon ECS task IAM role".
  assumed_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Tasks"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })

  pull = local.ecr == null ? [] : [
    {
      # The one action here that takes no resource (AWS, "Actions, resources,
      # and condition keys for Amazon Elastic Container Registry").
      Sid      = "Registry"
      Effect   = "Allow"
      Action   = ["ecr:GetAuthorizationToken"]
      Resource = ["*"]
    },
    {
      Sid      = "Image"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = ["arn:${local.partition}:ecr:${local.ecr.region}:${local.ecr.account}:repository/${local.ecr.repository}"]
    },
  ]
}

resource "aws_iam_role" "execution" {
  name                 = "${local.name}-execution"
  description          = "Starts the tasks of ${var.service} in ${var.env}: pulls the image, opens the log stream."
  assume_role_policy   = local.assumed_by_tasks
  max_session_duration = 3600
  tags                 = local.tags
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.pull, [{
      Sid      = "Logs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${aws_cloudwatch_log_group.this.name}:*"]
    }])
  })
}

resource "aws_iam_role" "task" {
  name                 = "${local.name}-task"
  description          = "What ${var.service} may do in ${var.env}."
  assume_role_policy   = local.assumed_by_tasks
  max_session_duration = 3600
  tags                 = local.tags
}

resource "aws_iam_role_policy" "task" {
  name = "work"
  role = aws_iam_role.task.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for s in var.task_statements : merge(
      {
        Sid      = s.sid
        Effect   = "Allow"
        Action   = sort(s.actions)
        Resource = sort(s.resources)
      },
      length(s.conditions) == 0 ? {} : { Condition = s.conditions },
    )]
  })
}
