# One page that answers four questions from top to bottom: do clients connect, do messages arrive, how late, what fails. Whoever
# is paged opens it first.
locals {
  # What our own functions write (shared/telemetry), by the function that writes it. A Go test holds the two together.
  ours = { for function, metrics in {
    connect    = ["Connected", "Refused", "FailedConnects", "KeyFetchFailures", "KeyAge"]
    message    = ["KeyFetchFailures", "KeyAge"]
    disconnect = ["Disconnected", "SessionDuration"]
    broadcast  = local.of_sending
    deliver    = local.of_sending
  } : function => { for metric in metrics : metric => ["Fanfare", metric, "FunctionName", var.functions[function]] } }

  of_sending = ["Delivered", "Gone", "Failed", "Unsent", "Posts", "Removed", "CleanupErrors", "OpenBreakers", "PostLatency"]

  # PostErrors.<type>, the types of shared/connection.
  post_errors = ["gone", "forbidden", "invalid", "tooLarge", "throttled", "circuitOpen", "shutdown", "deadline", "failed"]

  by_sender = { for metric in local.of_sending : metric => [for key in local.senders : local.ours[key][metric]] }

  questions = [
    {
      ask = "Do clients connect? Refused by us with 401 (or 500: FailedConnects), closed with their age, and what API Gateway saw."
      widgets = [
        { title = "Clients admitted, refused, closed", stat = "Sum", names = [
          local.ours.connect["Connected"], local.ours.connect["Refused"], local.ours.connect["FailedConnects"], local.ours.disconnect["Disconnected"],
        ] },
        { title = "API Gateway: connects, messages, errors", stat = "Sum", names = [
          for metric in ["ConnectCount", "MessageCount", "ClientError", "IntegrationError", "ExecutionError"] :
          ["AWS/ApiGateway", metric, "ApiId", var.api.id, "Stage", var.api.stage]
        ] },
        { title = "How long sockets were open (s, median)", stat = "p50", names = [local.ours.disconnect["SessionDuration"]] },
        { title = "The issuer's keys: fetches failed, age of those in use (s)", stat = "Maximum", names = concat(
          [for key in ["connect", "message"] : local.ours[key]["KeyFetchFailures"]], [for key in ["connect", "message"] : local.ours[key]["KeyAge"]],
        ) },
      ]
    },
    {
      ask = "Do messages arrive? Sends end as delivered, gone (the client had left), failed or unsent (left out after a 403 or 413)."
      widgets = [
        { title = "Sends by what became of them", stat = "Sum", names = concat(local.by_sender["Delivered"], local.by_sender["Gone"], local.by_sender["Failed"], local.by_sender["Unsent"]) },
        { title = "Posts, retries included", stat = "Sum", names = local.by_sender["Posts"] },
        { title = "Gone connections: rows removed, removals failed", stat = "Sum", names = concat(local.by_sender["Removed"], local.by_sender["CleanupErrors"]) },
        { title = "Calls", stat = "Sum", names = [for name in values(var.functions) : ["AWS/Lambda", "Invocations", "FunctionName", name]] },
      ]
    },
    {
      ask = "How late? A broadcast waits in the broadcast queue, its units in the deliver queue, and each post takes its latency."
      widgets = [
        { title = "Oldest message (s)", stat = "Maximum", names = [for queue in values(var.queues) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name]] },
        { title = "One post, 99th percentile (ms)", stat = "p99", names = local.by_sender["PostLatency"] },
        { title = "One post, median (ms)", stat = "p50", names = local.by_sender["PostLatency"] },
        { title = "A call's duration, 99th percentile (ms)", stat = "p99", names = [for name in values(var.functions) : ["AWS/Lambda", "Duration", "FunctionName", name]] },
      ]
    },
    {
      ask = "What fails? Posts by type of error, breakers open in one environment, dead letters, calls, the table."
      widgets = [
        { title = "Failed posts by type", stat = "Sum", names = concat([for key in local.senders : [
          for type in local.post_errors : ["Fanfare", "PostErrors.${type}", "FunctionName", var.functions[key]]
        ]]...) },
        { title = "Open breakers, of the worst environment", stat = "Maximum", names = local.by_sender["OpenBreakers"] },
        { title = "Dead letters", stat = "Maximum", names = [for queue in values(var.queues) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.dead_letter_name]] },
        { title = "Failed and throttled calls", stat = "Sum", names = concat([for metric in ["Errors", "Throttles"] : [
          for name in values(var.functions) : ["AWS/Lambda", metric, "FunctionName", name]
        ]]...) },
        { title = "Table: throttled", stat = "Sum", names = [for metric in ["ReadThrottleEvents", "WriteThrottleEvents"] : ["AWS/DynamoDB", metric, "TableName", var.table_name]] },
        { title = "Table: capacity used", stat = "Sum", names = [for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"] : ["AWS/DynamoDB", metric, "TableName", var.table_name]] },
      ]
    },
  ]

  # The grid is 24 wide. A question takes two rows' height for its text, and six for each two of its graphs.
  heights = [for question in local.questions : 2 + 6 * ceil(length(question.widgets) / 2)]
  tops    = [for index, question in local.questions : sum(concat([0], slice(local.heights, 0, index)))]
  widgets = concat([for index, question in local.questions : concat(
    [jsonencode({
      type       = "text", x = 0, y = local.tops[index], width = 24, height = 2
      properties = { markdown = "## ${question.ask}" }
    })],
    [for place, widget in question.widgets : jsonencode({
      type   = "metric"
      x      = place % 2 * 12
      y      = local.tops[index] + 2 + floor(place / 2) * 6
      width  = 12
      height = 6
      properties = {
        title   = widget.title
        region  = data.aws_region.current.name
        view    = "timeSeries"
        stat    = widget.stat
        period  = 60
        metrics = widget.names
      }
    })],
  )]...)
}

# The region is in the name because dashboards, unlike all they show, are global to the account.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-${data.aws_region.current.name}"
  dashboard_body = jsonencode({ widgets = [for widget in local.widgets : jsondecode(widget)] })
}
