data "aws_region" "current" {}

locals {
  # One row per station of a message's way. `names` is [namespace, metric, dimension, value, …] as CloudWatch writes it.
  widgets = [
    {
      title = "Sockets and messages"
      stat  = "Sum"
      names = [
        for metric in ["ConnectCount", "MessageCount", "ClientError", "IntegrationError", "ExecutionError"] :
        ["AWS/ApiGateway", metric, "ApiId", var.api_id, "Stage", var.stage]
      ]
    },
    {
      title = "Calls"
      stat  = "Sum"
      names = [for name in values(var.functions) : ["AWS/Lambda", "Invocations", "FunctionName", name]]
    },
    {
      title = "Failed calls"
      stat  = "Sum"
      names = concat([for metric in ["Errors", "Throttles"] : [
        for name in values(var.functions) : ["AWS/Lambda", metric, "FunctionName", name]
      ]]...)
    },
    {
      title = "Duration, 99th percentile (ms)"
      stat  = "p99"
      names = [for name in values(var.functions) : ["AWS/Lambda", "Duration", "FunctionName", name]]
    },
    {
      title = "Oldest message (s)"
      stat  = "Maximum"
      names = [for queue in values(var.queues) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue.name]]
    },
    {
      title = "Dead letters"
      stat  = "Maximum"
      names = [for queue in values(var.queues) : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue.dead_letter_name]]
    },
    {
      title = "Table: capacity used, requests throttled"
      stat  = "Sum"
      names = [
        for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"] :
        ["AWS/DynamoDB", metric, "TableName", var.table_name]
      ]
    },
  ]
}

# The region is in the name because dashboards, unlike all they show, are global to the account.
resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-${data.aws_region.current.name}"

  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = index % 2 * 12 # two columns of the grid's 24 units
      y      = floor(index / 2) * 6
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
    }]
  })
}
