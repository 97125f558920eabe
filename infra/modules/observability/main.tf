# The alarms that tell of refused clients and of lost or late messages before users do. Each is a row here: `kind` is the section
# of the runbook that says what to do about it, `what` is what whoever is paged reads first.
locals {
  senders = ["broadcast", "deliver"] # the functions that post to sockets, and write what became of it
  five    = 300                      # seconds of a period where nothing else is said

  # Alarms on one metric each.
  metric_alarms = merge(
    { for key, queue in var.queues : "dead-letters-${key}" => {
      kind       = "dead-letters"
      what       = "Messages of the ${key} queue failed every attempt: a broadcast, or a unit of one, did not happen."
      namespace  = "AWS/SQS"
      metric     = "ApproximateNumberOfMessagesVisible"
      dimensions = { QueueName = queue.dead_letter_name }
      statistic  = "Maximum"
      threshold  = 0
      period     = 60
      periods    = 1
      of         = 1
    } },
    { for key, queue in var.queues : "queue-age-${key}" => {
      kind       = "queue-age"
      what       = "The oldest message of the ${key} queue has waited over ${queue.maximum_age_seconds} s: broadcasts are late."
      namespace  = "AWS/SQS"
      metric     = "ApproximateAgeOfOldestMessage"
      dimensions = { QueueName = queue.name }
      statistic  = "Maximum"
      threshold  = queue.maximum_age_seconds
      period     = 60
      periods    = 3
      of         = 3
    } },
    { for key, name in var.functions : "function-errors-${key}" => {
      kind       = "function-errors"
      what       = "Calls of ${name} failed, timed out or crashed."
      namespace  = "AWS/Lambda"
      metric     = "Errors"
      dimensions = { FunctionName = name }
      statistic  = "Sum"
      threshold  = var.thresholds.function_errors
      period     = local.five
      periods    = 1
      of         = 1
    } },
    { for key, name in var.functions : "function-throttles-${key}" => {
      kind       = "function-throttles"
      what       = "Lambda refused calls of ${name}: the account's or the function's concurrency is used up."
      namespace  = "AWS/Lambda"
      metric     = "Throttles"
      dimensions = { FunctionName = name }
      statistic  = "Sum"
      threshold  = var.thresholds.function_throttles
      period     = local.five
      periods    = 1
      of         = 1
    } },
    { for key in local.senders : "slow-posts-${key}" => {
      kind       = "slow-posts"
      what       = "One in a hundred posts of ${key} to a socket takes over ${var.thresholds.post_p99_ms} ms."
      namespace  = "Fanfare"
      metric     = "PostLatency"
      dimensions = { FunctionName = var.functions[key] }
      statistic  = "p99"
      threshold  = var.thresholds.post_p99_ms
      period     = local.five
      periods    = 2
      of         = 3
    } },
    { for key in local.senders : "open-breakers-${key}" => {
      kind       = "open-breakers"
      what       = "An environment of ${key} has given up over ${var.thresholds.open_breakers} connections for a while: their clients miss messages."
      namespace  = "Fanfare"
      metric     = "OpenBreakers"
      dimensions = { FunctionName = var.functions[key] }
      statistic  = "Maximum"
      threshold  = var.thresholds.open_breakers
      period     = local.five
      periods    = 1
      of         = 1
    } },
    { "failed-connects" = {
      kind       = "failed-connects"
      what       = "Clients with good tokens were refused with 500: the table or the issuer's keys could not be reached."
      namespace  = "Fanfare"
      metric     = "FailedConnects"
      dimensions = { FunctionName = var.functions.connect }
      statistic  = "Sum"
      threshold  = var.thresholds.failed_connects
      period     = local.five
      periods    = 1
      of         = 1
    } },
  )

  # Alarms on a sum or a share of several. Of the terms of one share, those in `metrics` that nobody wrote in a period count
  # as 0: a function writes Connected and Refused each on its own.
  total      = "(FILL(delivered,0)+FILL(delivered2,0)+FILL(gone,0)+FILL(gone2,0)+FILL(failed,0)+FILL(failed2,0)+FILL(unsent,0)+FILL(unsent2,0))"
  unfinished = "(FILL(failed,0)+FILL(failed2,0)+FILL(unsent,0)+FILL(unsent2,0))"
  answered   = "(FILL(delivered,0)+FILL(delivered2,0)+FILL(gone,0)+FILL(gone2,0))"
  stale      = "(FILL(gone,0)+FILL(gone2,0))"
  came       = "(FILL(connected,0)+FILL(refused,0))"

  # One query for each sender: {id → [namespace, metric, dimensions]}.
  of_senders = { for metric in ["Delivered", "Gone", "Failed", "Unsent", "CleanupErrors"] : metric => {
    (lower(metric))     = ["Fanfare", metric, { FunctionName = var.functions.broadcast }]
    "${lower(metric)}2" = ["Fanfare", metric, { FunctionName = var.functions.deliver }]
  } }
  of_api   = { ApiId = var.api.id, Stage = var.api.stage }
  of_table = { TableName = var.table_name }

  expression_alarms = {
    "refused-connects" = {
      what       = "Over ${var.thresholds.refused_percent} % of the clients that came were refused."
      expression = "IF(${local.came}>=${var.thresholds.minimum},100*FILL(refused,0)/${local.came},0)"
      threshold  = var.thresholds.refused_percent
      metrics = {
        connected = ["Fanfare", "Connected", { FunctionName = var.functions.connect }]
        refused   = ["Fanfare", "Refused", { FunctionName = var.functions.connect }]
      }
    }
    "key-fetch-failures" = {
      what       = "The keys that tokens are checked with could not be fetched from the issuer. Old ones are used until they are a day old."
      expression = "FILL(connects,0)+FILL(messages,0)"
      threshold  = var.thresholds.key_fetch_failures
      metrics = {
        connects = ["Fanfare", "KeyFetchFailures", { FunctionName = var.functions.connect }]
        messages = ["Fanfare", "KeyFetchFailures", { FunctionName = var.functions.message }]
      }
    }
    "failed-deliveries" = {
      what       = "Over ${var.thresholds.failed_percent} % of the sends failed or were left out."
      expression = "IF(${local.total}>=${var.thresholds.minimum},100*${local.unfinished}/${local.total},0)"
      threshold  = var.thresholds.failed_percent
      metrics    = merge(local.of_senders["Delivered"], local.of_senders["Gone"], local.of_senders["Failed"], local.of_senders["Unsent"])
    }
    "stale-share" = {
      what       = "Over ${var.thresholds.stale_percent} % of the sends met a client that was gone: connections are not cleaned up."
      expression = "IF(${local.answered}>=${var.thresholds.minimum},100*${local.stale}/${local.answered},0)"
      threshold  = var.thresholds.stale_percent
      metrics    = merge(local.of_senders["Delivered"], local.of_senders["Gone"])
    }
    "cleanup-errors" = {
      what       = "Rows of gone connections could not be deleted: they will be sent to again."
      expression = "FILL(cleanuperrors,0)+FILL(cleanuperrors2,0)"
      threshold  = var.thresholds.cleanup_errors
      metrics    = local.of_senders["CleanupErrors"]
    }
    "api-server-errors" = {
      what       = "API Gateway could not call a function, or got no answer that it understands. Clients get 5xx or an error frame."
      expression = "FILL(integration,0)+FILL(execution,0)"
      threshold  = var.thresholds.api_server_errors
      metrics = {
        integration = ["AWS/ApiGateway", "IntegrationError", local.of_api]
        execution   = ["AWS/ApiGateway", "ExecutionError", local.of_api]
      }
    }
    "table-throttles" = {
      what       = "DynamoDB refused reads or writes: a partition is too hot, or the account's limit is reached."
      expression = "FILL(reads,0)+FILL(writes,0)"
      threshold  = var.thresholds.table_throttles
      metrics = {
        reads  = ["AWS/DynamoDB", "ReadThrottleEvents", local.of_table]
        writes = ["AWS/DynamoDB", "WriteThrottleEvents", local.of_table]
      }
    }
  }

  kinds = sort(distinct(concat(values(local.metric_alarms)[*].kind, keys(local.expression_alarms))))
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  for_each = local.metric_alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.what} What to do: ${var.runbook}#${each.value.kind}"

  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  datapoints_to_alarm = each.value.periods
  evaluation_periods  = each.value.of
  treat_missing_data  = "notBreaching" # what is idle writes nothing
  alarm_actions       = local.notify
  ok_actions          = local.notify
}

resource "aws_cloudwatch_metric_alarm" "expression" {
  for_each = local.expression_alarms

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.what} What to do: ${var.runbook}#${each.key}"

  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.notify
  ok_actions          = local.notify

  metric_query {
    id          = "result"
    expression  = each.value.expression
    label       = each.key
    return_data = true
  }

  dynamic "metric_query" {
    for_each = each.value.metrics
    content {
      id = metric_query.key
      metric {
        namespace   = metric_query.value[0]
        metric_name = metric_query.value[1]
        dimensions  = metric_query.value[2]
        stat        = "Sum"
        period      = local.five
      }
    }
  }
}
