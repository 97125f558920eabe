# The alarms that tell of lost or late messages before users do, and one page to look at when one rings.
locals {
  notify = sort(var.alarm_topic_arns)
}

# Whatever lies here was given up on: a broadcast or a unit of one did not happen.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = var.queues

  alarm_name        = "${var.name}-${each.key}-dead-letters"
  alarm_description = "Messages of the ${each.key} queue failed every attempt. Read them in ${each.value.dead_letter_name}, mend the cause, then redrive."

  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value.dead_letter_name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # SQS reports nothing for queues unused for six hours
  alarm_actions       = local.notify
  ok_actions          = local.notify
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  for_each = var.queues

  alarm_name        = "${var.name}-${each.key}-age"
  alarm_description = "The oldest message of the ${each.key} queue has waited over ${each.value.maximum_age_seconds} s: the fan-out is late."

  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.maximum_age_seconds
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.notify
  ok_actions          = local.notify
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = var.functions

  alarm_name        = "${var.name}-${each.key}-errors"
  alarm_description = "Calls of ${each.value} failed, timed out or crashed. Its log group is /aws/lambda/${each.value}."

  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = each.value }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.notify
  ok_actions          = local.notify
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = var.functions

  alarm_name        = "${var.name}-${each.key}-throttles"
  alarm_description = "Lambda refused calls of ${each.value}: the account's or the function's concurrency is used up."

  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  dimensions          = { FunctionName = each.value }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.notify
  ok_actions          = local.notify
}
