# What the module refuses, before anything is made.

mock_provider "aws" {}

variables {
  env     = "test"
  service = "stats"
  image   = "registry.example.com/stats@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  network = {
    subnet_ids         = ["subnet-a", "subnet-b"]
    security_group_ids = ["sg-a"]
  }
  kms_key_arn     = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  task_statements = []
}

run "an_image_by_tag" {
  command = plan
  variables {
    image = "registry.example.com/stats:v1"
  }
  expect_failures = [var.image]
}

run "a_subnet_by_its_range" {
  command = plan
  variables {
    network = { subnet_ids = ["10.0.1.0/24"], security_group_ids = ["sg-a"] }
  }
  expect_failures = [var.network]
}

run "a_size_that_fargate_lacks" {
  command = plan
  variables {
    size = { cpu = 256, memory = 4096 }
  }
  expect_failures = [var.size]
}

run "a_secret_in_the_environment" {
  command = plan
  variables {
    environment = { DATABASE_PASSWORD = "x" }
  }
  expect_failures = [var.environment]
}

run "a_variable_that_the_module_sets" {
  command = plan
  variables {
    environment = { DRAIN_TIMEOUT = "1s" }
  }
  expect_failures = [var.environment]
}

run "no_tasks" {
  command = plan
  variables {
    scaling = { min = 0, max = 2 }
  }
  expect_failures = [var.scaling]
}

run "killed_while_it_drains" {
  command = plan
  variables {
    drain = { timeout_seconds = 30, phases = 2, stop_seconds = 60 }
  }
  expect_failures = [var.drain]
}

run "longer_than_fargate_waits" {
  command = plan
  variables {
    drain = { timeout_seconds = 60, phases = 2, stop_seconds = 180 }
  }
  expect_failures = [var.drain]
}

run "all_actions_of_a_service" {
  command = plan
  variables {
    task_statements = [{ sid = "A", actions = ["sqs:*"], resources = ["arn:aws:sqs:eu-west-1:123456789012:q"] }]
  }
  expect_failures = [var.task_statements]
}

run "all_resources" {
  command = plan
  variables {
    task_statements = [{ sid = "A", actions = ["sqs:SendMessage"], resources = ["*"] }]
  }
  expect_failures = [var.task_statements]
}

run "a_port_of_root" {
  command = plan
  variables {
    load_balancer = {
      target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/stats/0123456789abcdef"
      port             = 80
    }
  }
  expect_failures = [var.load_balancer]
}

run "logs_for_ever" {
  command = plan
  variables {
    log_retention_days = 0
  }
  expect_failures = [var.log_retention_days]
}
