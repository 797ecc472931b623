# What is on the dashboard, by service.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
}

variables {
  env = "test"
}

run "a_subscriber" {
  command = plan

  variables {
    service = "stats"
    queues  = [{ name = "stats-company-profile-v1", dead_letter_queue = "stats-company-profile-v1-dlq" }]
    tables  = [{ name = "company-stats", indexes = ["by-sector"] }, { name = "statistics" }]
    tasks = {
      cluster_name         = "test-stats"
      service_name         = "stats"
      log_group_name       = "/ecs/test/stats"
      log_metric_namespace = "Tributary/test/stats"
    }
    alarm_arns = ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a"]
  }

  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "test-stats"
    error_message = "The dashboard is not found by environment and service."
  }
  assert {
    condition = [for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : try(w.properties.title, "note")] == [
      "Alarms of stats, test",
      "Lag: age of the oldest message",
      "Backlog: messages visible, held, delayed",
      "Throughput: messages come, and settled",
      "Outcomes: messages not applied, and logged errors",
      "Dead letters waiting",
      "Dead letters: age of the oldest",
      "DynamoDB: throttled requests",
      "Tasks: running and wanted",
      "Tasks: processor and memory",
      "What the tasks complain of, most frequent first",
      "note",
    ]
    error_message = "A subscriber is not shown lag, throughput, outcomes, dead letters and causes, or is shown a publisher's graphs."
  }
  assert {
    condition = one([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.metrics if try(w.properties.title, "") == "Lag: age of the oldest message"]) == [
      ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "stats-company-profile-v1", { label = "stats-company-profile-v1", stat = "Maximum" }],
    ]
    error_message = "The lag is not the age of the queue's oldest message."
  }
  assert {
    condition     = [for m in one([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.metrics if try(w.properties.title, "") == "Dead letters waiting"]) : m[3]] == ["stats-company-profile-v1-dlq"]
    error_message = "The dead-letter queue is not shown."
  }
  assert {
    condition     = length(one([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.metrics if try(w.properties.title, "") == "DynamoDB: throttled requests"])) == 6
    error_message = "Throttles of a table or of an index are missing."
  }
  assert {
    condition     = alltrue([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.width <= 24 && w.width >= 6])
    error_message = "A widget is wider than the dashboard, or too narrow to read."
  }
  assert {
    condition     = toset([for m in one([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.metrics if try(w.properties.title, "") == "Outcomes: messages not applied, and logged errors"]) : m[1]]) == toset(["LoggedErrors", "MessagesRetried", "MessagesRejected", "HandlerPanics"])
    error_message = "Outcomes are other metrics than the consumer module counts."
  }
}

run "a_publisher" {
  command = plan

  variables {
    service = "profile"
    topics  = ["company-profile-v1"]
    relays  = [{ function_name = "test-profile-relay", mapping_id = "6d2f1c9a-0000-4000-8000-000000000001", dead_letter_queue = "profile-company-profile-v1-relay-dlq" }]
    tables  = [{ name = "companies" }]
  }

  assert {
    condition = [for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : try(w.properties.title, "note")] == [
      "Lag: age of the last record that the relay read",
      "Throughput: calls of the relay",
      "Throughput: records of the stream",
      "Throughput: changes published, and deliveries",
      "Outcomes: the relay's errors and throttles",
      "Outcomes: records failed, lost, or kept in S3",
      "Outcomes: deliveries failed, and attributes that no filter reads",
      "Dead letters waiting",
      "Dead letters: age of the oldest",
      "DynamoDB: throttled requests",
      "note",
    ]
    error_message = "A publisher is not shown its relay and its topic, or is shown a subscriber's graphs."
  }
  assert {
    condition = one([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.metrics if try(w.properties.title, "") == "Lag: age of the last record that the relay read"]) == [
      ["AWS/Lambda", "IteratorAge", "FunctionName", "test-profile-relay", { label = "test-profile-relay", stat = "Maximum" }],
    ]
    error_message = "The relay's lag is not the iterator age of its function."
  }
  assert {
    condition = { for m in one([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.metrics if startswith(try(w.properties.title, ""), "Outcomes: records")]) : m[1] => "${m[2]}=${m[3]}" } == { for metric in ["FailedInvokeEventCount", "DroppedEventCount", "OnFailureDestinationDeliveredEventCount"] :
      metric => "EventSourceMappingUUID=6d2f1c9a-0000-4000-8000-000000000001"
    }
    error_message = "Records that the relay failed, or Lambda gave up, are not shown."
  }
}

run "a_service_with_nothing" {
  command = plan

  variables {
    service = "empty"
  }

  assert {
    condition     = [for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.type] == ["text"]
    error_message = "Graphs without lines are shown."
  }
}

run "a_queue_that_is_its_own_dead_letter_queue" {
  command = plan

  variables {
    service = "stats"
    queues  = [{ name = "q", dead_letter_queue = "q" }]
  }

  expect_failures = [var.queues]
}
