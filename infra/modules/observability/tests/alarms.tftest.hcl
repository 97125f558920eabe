mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:111122223333:fanfare-alarms" }
  }
}

variables {
  name       = "fanfare"
  api        = { id = "a1b2c3d4e5", stage = "live" }
  table_name = "fanfare-connections"
  functions  = { for key in ["connect", "message", "broadcast", "deliver", "disconnect"] : key => "fanfare-${key}" }

  queues = {
    broadcast = { name = "fanfare-broadcast", dead_letter_name = "fanfare-broadcast-dead-letters", maximum_age_seconds = 60 }
    deliver   = { name = "fanfare-deliver", dead_letter_name = "fanfare-deliver-dead-letters", maximum_age_seconds = 300 }
  }
}

run "rings_at_the_first_dead_letter" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["dead-letters-deliver"].dimensions == tomap({ QueueName = "fanfare-deliver-dead-letters" })
    error_message = "The alarm watches another queue."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["dead-letters-deliver"].threshold == 0 && aws_cloudwatch_metric_alarm.metric["dead-letters-deliver"].comparison_operator == "GreaterThanThreshold"
    error_message = "One dead letter does not ring."
  }
}

run "rings_when_a_queue_is_late" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["queue-age-deliver"].threshold == 300 && aws_cloudwatch_metric_alarm.metric["queue-age-deliver"].dimensions == tomap({ QueueName = "fanfare-deliver" })
    error_message = "The alarm does not watch the queue's age."
  }
}

run "watches_every_functions_errors_and_throttles" {
  assert {
    condition = alltrue([for key in keys(var.functions) :
      aws_cloudwatch_metric_alarm.metric["function-errors-${key}"].metric_name == "Errors" && aws_cloudwatch_metric_alarm.metric["function-throttles-${key}"].metric_name == "Throttles"
    ])
    error_message = "A function is not watched."
  }
}

# A second deployment in the account and region has functions of other names, and so metrics of its own.
run "no_alarm_and_no_graph_looks_at_another_deployments_metrics" {
  assert {
    condition = alltrue(concat(
      [for a in values(aws_cloudwatch_metric_alarm.metric) : contains(values(var.functions), a.dimensions["FunctionName"]) if a.namespace == "Fanfare"],
      flatten([for a in values(aws_cloudwatch_metric_alarm.expression) : [for q in a.metric_query : [for m in q.metric :
        contains(values(var.functions), m.dimensions["FunctionName"]) if m.namespace == "Fanfare"
      ]]]),
      flatten([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [for m in w.properties.metrics :
        m[2] == "FunctionName" && contains(values(var.functions), m[3]) if m[0] == "Fanfare"
      ] if w.type == "metric"]),
    ))
    error_message = "A metric of the functions is not looked up by the name of a function of this deployment."
  }
}

run "watches_the_99th_percentile_of_posts_by_the_functions_own_name" {
  assert {
    condition = alltrue([for key in ["broadcast", "deliver"] : alltrue([
      aws_cloudwatch_metric_alarm.metric["slow-posts-${key}"].extended_statistic == "p99",
      aws_cloudwatch_metric_alarm.metric["slow-posts-${key}"].statistic == null,
      aws_cloudwatch_metric_alarm.metric["slow-posts-${key}"].namespace == "Fanfare",
      aws_cloudwatch_metric_alarm.metric["slow-posts-${key}"].dimensions == tomap({ FunctionName = "fanfare-${key}" }),
    ])])
    error_message = "The alarm does not watch what the functions write."
  }
}

run "shares_are_of_enough_events_and_by_the_threshold_given" {
  variables {
    thresholds = { minimum = 50, refused_percent = 30 }
  }

  assert {
    condition     = strcontains([for q in aws_cloudwatch_metric_alarm.expression["refused-connects"].metric_query : q.expression if q.return_data == true][0], ">=50")
    error_message = "One refused client at night would ring."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.expression["refused-connects"].threshold == 30
    error_message = "The threshold is not the one given."
  }
}

# Ten is CloudWatch's limit for one alarm. A name in the expression that no query has would be refused by AWS, and by nothing before.
run "expressions_name_the_queries_that_they_have" {
  assert {
    condition = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.expression) : alltrue([
      length(alarm.metric_query) <= 10,
      toset([for q in alarm.metric_query : q.id if q.id != "result"]) ==
      toset(flatten([for q in alarm.metric_query : regexall("FILL\\(([a-z0-9]+),0\\)", q.expression) if q.id == "result"])),
    ])])
    error_message = "An expression and its queries do not fit, or there are too many."
  }
}

run "is_silent_without_data" {
  assert {
    condition = alltrue([for a in concat(values(aws_cloudwatch_metric_alarm.metric), values(aws_cloudwatch_metric_alarm.expression)) :
      a.treat_missing_data == "notBreaching" && a.comparison_operator == "GreaterThanThreshold"
    ])
    error_message = "An idle deployment would ring."
  }
}

run "each_alarm_says_where_to_look" {
  variables {
    runbook = "https://git.example/RUNBOOK.md"
  }

  assert {
    condition = alltrue([for a in concat(values(aws_cloudwatch_metric_alarm.metric), values(aws_cloudwatch_metric_alarm.expression)) :
      anytrue([for kind in output.alarm_kinds : endswith(a.alarm_description, "https://git.example/RUNBOOK.md#${kind}") && startswith(a.alarm_name, "fanfare-${kind}")])
    ])
    error_message = "An alarm does not lead to its section of the runbook."
  }
}

run "tells_the_topic_that_it_makes" {
  assert {
    condition = alltrue([for a in concat(values(aws_cloudwatch_metric_alarm.metric), values(aws_cloudwatch_metric_alarm.expression)) :
      a.alarm_actions == toset([output.topic_arn]) && a.ok_actions == toset([output.topic_arn])
    ])
    error_message = "Nobody is told, or nobody that it is over."
  }
}

run "lets_only_its_own_alarms_publish" {
  assert {
    condition = jsondecode(aws_sns_topic_policy.alarms[0].policy).Statement == [{
      Sid       = "AlarmsPublish", Effect = "Allow", Action = "sns:Publish"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Resource  = "arn:aws:sns:eu-west-1:111122223333:fanfare-alarms"
      Condition = { ArnLike = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:fanfare-*" } }
    }]
    error_message = "Others may publish: ${aws_sns_topic_policy.alarms[0].policy}"
  }
}

run "tells_topics_that_are_there" {
  variables {
    topic = { create = false, arns = ["arn:aws:sns:eu-west-1:111122223333:on-call"] }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["function-throttles-connect"].alarm_actions == toset(["arn:aws:sns:eu-west-1:111122223333:on-call"])
    error_message = "Nobody is told."
  }
  assert {
    condition     = length(aws_sns_topic.alarms) == 0 && output.topic_arn == null
    error_message = "A topic is made that nobody asked for."
  }
}

run "may_tell_nobody" {
  variables {
    topic = { create = false }
  }

  assert {
    condition     = length(coalesce(aws_cloudwatch_metric_alarm.metric["failed-connects"].alarm_actions, [])) == 0
    error_message = "The local cloud, which has no SNS, would be told."
  }
}

run "shows_four_questions_and_their_answers_on_one_page" {
  assert {
    condition     = aws_cloudwatch_dashboard.this.dashboard_name == "fanfare-eu-west-1"
    error_message = "Two regions' dashboards would overwrite one another."
  }
  assert {
    condition = [for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : regex("## ([^?]+)", w.properties.markdown)[0] if w.type == "text"] == [
      "Do clients connect", "Do messages arrive", "How late", "What fails",
    ]
    error_message = "The page does not ask its four questions."
  }
  assert {
    condition = alltrue([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      w.properties.region == "eu-west-1" && length(w.properties.metrics) > 0 if w.type == "metric"
    ])
    error_message = "A graph is empty or shows another region."
  }
}

run "no_graph_lies_on_another" {
  assert {
    condition     = length(distinct([for w in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${w.x}/${w.y}"])) == length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets)
    error_message = "Two graphs have one place."
  }
}

run "refuses_what_is_no_topic" {
  command = plan

  variables {
    topic = { arns = ["ops@example.com"] }
  }

  expect_failures = [var.topic]
}

run "refuses_more_topics_than_cloudwatch_takes" {
  command = plan

  variables {
    topic = { arns = [for n in range(5) : "arn:aws:sns:eu-west-1:111122223333:t${n}"] }
  }

  expect_failures = [var.topic]
}

run "refuses_a_share_that_would_never_ring" {
  command = plan

  variables {
    thresholds = { stale_percent = 100 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_a_threshold_below_zero" {
  command = plan

  variables {
    thresholds = { cleanup_errors = -1 }
  }

  expect_failures = [var.thresholds]
}

run "refuses_a_function_whose_metrics_would_be_missed" {
  command = plan

  variables {
    functions = { connect = "fanfare-connect" }
  }

  expect_failures = [var.functions]
}

run "refuses_a_queue_that_is_always_late" {
  command = plan

  variables {
    queues = { deliver = { name = "q", dead_letter_name = "d", maximum_age_seconds = 0 } }
  }

  expect_failures = [var.queues]
}

run "refuses_a_name_that_a_dashboard_would" {
  command = plan

  variables {
    name = "has space"
  }

  expect_failures = [var.name]
}

run "the_example_applies" {
  module {
    source = "./examples/basic"
  }
}
