# One dashboard a service, read from the top: do alarms ring, how far behind is
# it, how much goes through, what becomes of it, what was set aside, and what
# may be the cause. Only metrics that CloudWatch has are on it: AWS's own, and
# what the consumer module counts in the tasks' logs.

data "aws_region" "current" {}

locals {
  region = data.aws_region.current.name
  dead_letter_queues = concat(
    [for q in var.queues : q.dead_letter_queue],
    [for r in var.relays : r.dead_letter_queue],
  )

  # A graph has a title, what its axis counts, and lines: each is a metric with
  # its dimensions, a label and a statistic.
  graphs = {
    lag = [
      {
        title = "Lag: age of the oldest message"
        unit  = "seconds"
        lines = [for q in var.queues : { metric = ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", q.name], label = q.name, stat = "Maximum" }]
      },
      {
        title = "Lag: age of the last record that the relay read"
        unit  = "milliseconds"
        lines = [for r in var.relays : { metric = ["AWS/Lambda", "IteratorAge", "FunctionName", r.function_name], label = r.function_name, stat = "Maximum" }]
      },
      {
        title = "Backlog: messages visible, held, delayed"
        unit  = "messages"
        lines = flatten([for q in var.queues : [
          { metric = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", q.name], label = "${q.name} visible", stat = "Maximum" },
          { metric = ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", q.name], label = "${q.name} held", stat = "Maximum" },
          { metric = ["AWS/SQS", "ApproximateNumberOfMessagesDelayed", "QueueName", q.name], label = "${q.name} delayed", stat = "Maximum" },
        ]])
      },
    ]

    throughput = [
      {
        title = "Throughput: messages come, and settled"
        unit  = "messages"
        lines = flatten([for q in var.queues : [
          { metric = ["AWS/SQS", "NumberOfMessagesSent", "QueueName", q.name], label = "${q.name} sent", stat = "Sum" },
          { metric = ["AWS/SQS", "NumberOfMessagesDeleted", "QueueName", q.name], label = "${q.name} deleted", stat = "Sum" },
        ]])
      },
      {
        title = "Throughput: calls of the relay"
        unit  = "calls"
        lines = [for r in var.relays : { metric = ["AWS/Lambda", "Invocations", "FunctionName", r.function_name], label = r.function_name, stat = "Sum" }]
      },
      {
        # What is read, filtered out and handed to the relay; a record that is
        # tried again counts each time.
        title = "Throughput: records of the stream"
        unit  = "records"
        lines = flatten([for r in var.relays : [for metric, label in { PolledEventCount = "read", FilteredOutEventCount = "filtered out", InvokedEventCount = "handed to the relay" } :
          { metric = ["AWS/Lambda", metric, "EventSourceMappingUUID", r.mapping_id], label = "${r.function_name} ${label}", stat = "Sum" }
        ]])
      },
      {
        title = "Throughput: changes published, and deliveries"
        unit  = "messages"
        lines = flatten([for t in var.topics : [
          { metric = ["AWS/SNS", "NumberOfMessagesPublished", "TopicName", t], label = "${t} published", stat = "Sum" },
          { metric = ["AWS/SNS", "NumberOfNotificationsDelivered", "TopicName", t], label = "${t} delivered, all subscribers", stat = "Sum" },
          { metric = ["AWS/SNS", "NumberOfNotificationsFilteredOut", "TopicName", t], label = "${t} filtered out", stat = "Sum" },
        ]])
      },
    ]

    outcomes = [
      {
        title = "Outcomes: messages not applied, and logged errors"
        unit  = "log lines"
        lines = flatten([for t in var.tasks[*] : concat(
          [{ metric = [t.log_metric_namespace, "LoggedErrors"], label = "errors of any kind", stat = "Sum" }],
          length(var.queues) == 0 ? [] : [
            { metric = [t.log_metric_namespace, "MessagesRetried"], label = "given back, come again", stat = "Sum" },
            { metric = [t.log_metric_namespace, "MessagesRejected"], label = "rejected, dead-lettered", stat = "Sum" },
            { metric = [t.log_metric_namespace, "HandlerPanics"], label = "panics", stat = "Sum" },
          ],
        )])
      },
      {
        title = "Outcomes: the relay's errors and throttles"
        unit  = "calls"
        lines = flatten([for r in var.relays : [
          { metric = ["AWS/Lambda", "Errors", "FunctionName", r.function_name], label = "${r.function_name} errors", stat = "Sum" },
          { metric = ["AWS/Lambda", "Throttles", "FunctionName", r.function_name], label = "${r.function_name} throttles", stat = "Sum" },
        ]])
      },
      {
        title = "Outcomes: records failed, lost, or kept in S3"
        unit  = "records"
        lines = flatten([for r in var.relays : [for metric, label in { FailedInvokeEventCount = "failed, tried again", DroppedEventCount = "lost", OnFailureDestinationDeliveredEventCount = "kept in S3" } :
          { metric = ["AWS/Lambda", metric, "EventSourceMappingUUID", r.mapping_id], label = "${r.function_name} ${label}", stat = "Sum" }
        ]])
      },
      {
        title = "Outcomes: deliveries failed, and attributes that no filter reads"
        unit  = "messages"
        lines = flatten([for t in var.topics : [
          { metric = ["AWS/SNS", "NumberOfNotificationsFailed", "TopicName", t], label = "${t} failed", stat = "Sum" },
          { metric = ["AWS/SNS", "NumberOfNotificationsRedrivenToDlq", "TopicName", t], label = "${t} dead-lettered by SNS", stat = "Sum" },
          { metric = ["AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq", "TopicName", t], label = "${t} lost", stat = "Sum" },
          { metric = ["AWS/SNS", "NumberOfNotificationsFilteredOut-InvalidAttributes", "TopicName", t], label = "${t} invalid attributes", stat = "Sum" },
        ]])
      },
    ]

    dead_letters = [
      {
        title = "Dead letters waiting"
        unit  = "messages"
        lines = [for name in local.dead_letter_queues : { metric = ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", name], label = name, stat = "Maximum" }]
      },
      {
        # After 14 days SQS removes them.
        title = "Dead letters: age of the oldest"
        unit  = "seconds"
        lines = [for name in local.dead_letter_queues : { metric = ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", name], label = name, stat = "Maximum" }]
      },
    ]

    causes = [
      {
        title = "DynamoDB: throttled requests"
        unit  = "requests"
        lines = flatten([for table in var.tables : [for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : concat(
          [{ metric = ["AWS/DynamoDB", metric, "TableName", table.name], label = "${table.name} ${metric}", stat = "Sum" }],
          [for index in table.indexes : { metric = ["AWS/DynamoDB", metric, "TableName", table.name, "GlobalSecondaryIndexName", index], label = "${table.name}/${index} ${metric}", stat = "Sum" }],
        )]])
      },
      {
        title = "Tasks: running and wanted"
        unit  = "tasks"
        lines = flatten([for t in var.tasks[*] : [for metric in ["RunningTaskCount", "DesiredTaskCount"] :
          { metric = ["ECS/ContainerInsights", metric, "ClusterName", t.cluster_name, "ServiceName", t.service_name], label = metric, stat = "Minimum" }
        ]])
      },
      {
        title = "Tasks: processor and memory"
        unit  = "per cent"
        lines = flatten([for t in var.tasks[*] : [for metric in ["CPUUtilization", "MemoryUtilization"] :
          { metric = ["AWS/ECS", metric, "ClusterName", t.cluster_name, "ServiceName", t.service_name], label = metric, stat = "Average" }
        ]])
      },
    ]
  }

  # A graph without lines says nothing: one that only a publisher or only a
  # subscriber has is left out for the others.
  shown = { for row, graphs in local.graphs : row => [for g in graphs : g if length(g.lines) > 0] }

  alarms = length(var.alarm_arns) == 0 ? [] : [jsonencode({
    type       = "alarm"
    width      = 24
    height     = 2
    properties = { title = "Alarms of ${var.service}, ${var.env}", alarms = var.alarm_arns }
  })]

  rows = [for row in ["lag", "throughput", "outcomes", "dead_letters", "causes"] : [for g in local.shown[row] : jsonencode({
    type   = "metric"
    width  = floor(24 / length(local.shown[row]))
    height = 6
    properties = {
      title   = g.title
      region  = local.region
      view    = "timeSeries"
      stacked = false
      period  = 60
      yAxis   = { left = { min = 0, label = g.unit, showUnits = false } }
      metrics = [for line in g.lines : concat(line.metric, [{ label = line.label, stat = line.stat }])]
    }
  })]]

  # Which errors they were, where the tasks consume a queue or not.
  logs = [for t in var.tasks[*] : jsonencode({
    type   = "log"
    width  = 24
    height = 6
    properties = {
      title  = "What the tasks complain of, most frequent first"
      region = local.region
      view   = "table"
      query  = "SOURCE '${t.log_group_name}' | filter level in ['WARN', 'ERROR'] | stats count(*) as lines, latest(@timestamp) as last by level, msg, verdict, error | sort lines desc | limit 50"
    }
  })]

  # Where the rest is, so that nobody looks for it here.
  note = jsonencode({
    type       = "text"
    width      = 24
    height     = 2
    properties = { markdown = "Outcomes by contract (applied, duplicate, stale) and the lag of each change are the service's own metrics, `tributary_*` at `/metrics`, for Prometheus; CloudWatch has none of them. For one subject: `replicactl explain CONTRACT SUBJECT`." }
  })

  # The widgets are objects of different types, which no list holds; as text
  # they are alike.
  widgets = concat(local.alarms, flatten(local.rows), local.logs, [local.note])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.env}-${var.service}"
  dashboard_body = jsonencode({ widgets = [for w in local.widgets : jsondecode(w)] })
}
