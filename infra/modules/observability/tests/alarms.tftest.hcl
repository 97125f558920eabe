mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
}

variables {
  name       = "fanfare"
  api_id     = "a1b2c3d4e5"
  stage      = "live"
  table_name = "fanfare-connections"

  functions = { connect = "fanfare-connect", deliver = "fanfare-deliver" }
  queues = {
    deliver = { name = "fanfare-deliver", dead_letter_name = "fanfare-deliver-dead-letters", maximum_age_seconds = 300 }
  }
}

run "rings_at_the_first_dead_letter" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters["deliver"].dimensions == tomap({ QueueName = "fanfare-deliver-dead-letters" })
    error_message = "The alarm watches another queue."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters["deliver"].threshold == 0 && aws_cloudwatch_metric_alarm.dead_letters["deliver"].comparison_operator == "GreaterThanThreshold"
    error_message = "One dead letter does not ring."
  }
}

run "rings_when_a_queue_is_late" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.queue_age["deliver"].threshold == 300 && aws_cloudwatch_metric_alarm.queue_age["deliver"].dimensions == tomap({ QueueName = "fanfare-deliver" })
    error_message = "The alarm does not watch the queue's age."
  }
}

run "watches_every_functions_errors_and_throttles" {
  command = plan

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.errors)) == toset(["connect", "deliver"]) && toset(keys(aws_cloudwatch_metric_alarm.throttles)) == toset(["connect", "deliver"])
    error_message = "A function is not watched."
  }
}

run "is_silent_without_data_and_without_topics" {
  command = plan

  assert {
    condition     = alltrue([for a in concat(values(aws_cloudwatch_metric_alarm.dead_letters), values(aws_cloudwatch_metric_alarm.errors)) : a.treat_missing_data == "notBreaching" && length(coalesce(a.alarm_actions, [])) == 0])
    error_message = "An idle deployment would ring."
  }
}

run "tells_the_topics" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:on-call"]
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.throttles["connect"].alarm_actions == toset(["arn:aws:sns:eu-west-1:111122223333:on-call"])
    error_message = "Nobody is told."
  }
}

run "shows_what_the_alarms_watch_on_one_page" {
  command = plan

  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "fanfare-eu-west-1"
    error_message = "Two regions' dashboards would overwrite one another."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 7
    error_message = "The page does not have its seven graphs."
  }
  assert {
    condition     = alltrue([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : w.properties.region == "eu-west-1" && length(w.properties.metrics) > 0])
    error_message = "A graph is empty or shows another region."
  }
}

run "refuses_what_is_no_topic" {
  command = plan

  variables {
    alarm_topic_arns = ["ops@example.com"]
  }

  expect_failures = [var.alarm_topic_arns]
}
