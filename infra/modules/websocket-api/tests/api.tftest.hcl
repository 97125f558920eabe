mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      id            = "a1b2c3d4e5"
      api_endpoint  = "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5"
    }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:mocked" }
  }
}

variables {
  name             = "fanfare"
  throttling_rate  = 10000
  throttling_burst = 5000

  functions = {
    connect = { function_name = "fanfare-connect", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/connect", timeout_seconds = 10 }
    message = { function_name = "fanfare-message", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/message", timeout_seconds = 60 }
  }

  routes = {
    "$connect" = { function = "connect" }
    "$default" = { function = "message", response = true }
    "ping"     = { function = "message", response = true }
  }
}

run "routes_by_action_to_one_integration_per_function" {
  command = apply

  assert {
    condition     = aws_apigatewayv2_api.this.protocol_type == "WEBSOCKET" && aws_apigatewayv2_api.this.route_selection_expression == "$request.body.action"
    error_message = "The API does not select routes by the body's action."
  }
  assert {
    condition     = toset(keys(aws_apigatewayv2_integration.this)) == toset(["connect", "message"])
    error_message = "There is not one integration per function."
  }
  assert {
    condition     = alltrue([for i in values(aws_apigatewayv2_integration.this) : i.integration_type == "AWS_PROXY" && i.integration_method == "POST" && i.content_handling_strategy == "CONVERT_TO_TEXT"])
    error_message = "An integration is not a Lambda proxy called by POST with text."
  }
  assert {
    condition = { for key, r in aws_apigatewayv2_route.this : key => r.target } == {
      "$connect" = "integrations/${aws_apigatewayv2_integration.this["connect"].id}"
      "$default" = "integrations/${aws_apigatewayv2_integration.this["message"].id}"
      "ping"     = "integrations/${aws_apigatewayv2_integration.this["message"].id}"
    }
    error_message = "A route leads to another function than its own."
  }
}

run "answers_only_where_a_response_is_asked_for" {
  command = plan

  assert {
    condition     = { for key, r in aws_apigatewayv2_route.this : key => coalesce(r.route_response_selection_expression, "none") } == { "$connect" = "none", "$default" = "$default", "ping" = "$default" }
    error_message = "The routes that answer are not those with response = true."
  }
  assert {
    condition     = { for key, r in aws_apigatewayv2_route_response.this : key => r.route_response_key } == { "$default" = "$default", "ping" = "$default" }
    error_message = "A route that answers has no response, or one that does not has."
  }
}

run "waits_as_long_as_the_function_but_never_over_29_s" {
  command = plan

  assert {
    condition     = { for key, i in aws_apigatewayv2_integration.this : key => i.timeout_milliseconds } == { connect = 10000, message = 29000 }
    error_message = "The integration's time-out is not the function's, bounded by API Gateway's."
  }
}

run "builds_both_urls_from_the_endpoint_and_the_stage" {
  command = apply

  assert {
    condition     = output.websocket_url == "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/live"
    error_message = "The WebSocket URL is ${output.websocket_url}."
  }
  assert {
    condition     = output.management_endpoint == "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/live"
    error_message = "The management endpoint is ${output.management_endpoint}."
  }
}

run "lets_only_this_apis_stage_call_a_function" {
  command = apply

  assert {
    condition = { for key, p in aws_lambda_permission.this : key => [p.function_name, p.principal, p.source_arn] } == {
      connect = ["fanfare-connect", "apigateway.amazonaws.com", "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/live/*"]
      message = ["fanfare-message", "apigateway.amazonaws.com", "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/live/*"]
    }
    error_message = "A permission is wider than the stage, or one is missing."
  }
}

run "always_sends_both_throttling_values_and_never_traces_data" {
  command = plan

  assert {
    condition     = one(aws_apigatewayv2_stage.this.default_route_settings).throttling_rate_limit == 10000 && one(aws_apigatewayv2_stage.this.default_route_settings).throttling_burst_limit == 5000
    error_message = "A throttling value is missing: API Gateway would answer 429 to everything."
  }
  assert {
    condition     = one(aws_apigatewayv2_stage.this.default_route_settings).data_trace_enabled == false && one(aws_apigatewayv2_stage.this.default_route_settings).logging_level == "OFF"
    error_message = "Clients' messages would be logged."
  }
  assert {
    condition     = aws_apigatewayv2_stage.this.auto_deploy == false && length(aws_apigatewayv2_stage.this.access_log_settings) == 0
    error_message = "The stage deploys by itself or needs the account's logging role."
  }
}

run "writes_an_access_log_without_the_query_string" {
  command = apply

  variables {
    access_logs              = true
    account_has_logging_role = true
  }

  assert {
    condition     = jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format).requestId == "$context.requestId"
    error_message = "AWS refuses an access log without $context.requestId."
  }
  assert {
    condition     = !strcontains(lower(aws_apigatewayv2_stage.this.access_log_settings[0].format), "query")
    error_message = "The access log would hold tokens."
  }
  assert {
    condition     = length(aws_api_gateway_account.this) == 0
    error_message = "The account's setting is touched although the role is there."
  }
}

run "makes_the_accounts_logging_role_when_asked" {
  command = apply

  variables {
    access_logs                 = true
    manage_account_logging_role = true
  }

  assert {
    condition     = aws_api_gateway_account.this[0].cloudwatch_role_arn == aws_iam_role.logging[0].arn
    error_message = "The role is not set for the account."
  }
}

run "refuses_logs_that_the_account_cannot_write" {
  command = plan

  variables {
    access_logs = true
  }

  expect_failures = [aws_apigatewayv2_stage.this]
}

run "refuses_an_execution_log_that_the_account_cannot_write" {
  command = plan

  variables {
    logging_level = "ERROR"
  }

  expect_failures = [aws_apigatewayv2_stage.this]
}

run "refuses_to_replace_a_role_that_is_there" {
  command = plan

  variables {
    manage_account_logging_role = true
    account_has_logging_role    = true
  }

  expect_failures = [aws_apigatewayv2_stage.this]
}

run "refuses_to_log_what_clients_send" {
  command = plan

  variables {
    logging_level = "INFO"
  }

  expect_failures = [var.logging_level]
}

run "refuses_zero_throttling" {
  command = plan

  variables {
    throttling_rate  = 0
    throttling_burst = 0
  }

  expect_failures = [var.throttling_rate, var.throttling_burst]
}

run "refuses_a_route_to_nowhere" {
  command = plan

  variables {
    routes = { "ping" = { function = "absent" } }
  }

  expect_failures = [var.routes]
}

run "refuses_a_response_of_connect" {
  command = plan

  variables {
    routes = { "$connect" = { function = "connect", response = true } }
  }

  expect_failures = [var.routes]
}

run "the_example_applies" {
  module {
    source = "./examples/basic"
  }
}

run "lets_the_alias_be_called_where_there_is_one" {
  variables {
    functions = {
      connect = { function_name = "fanfare-connect", alias = "live", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/connect:live", timeout_seconds = 10 }
      message = { function_name = "fanfare-message", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/message", timeout_seconds = 60 }
    }
  }

  assert {
    condition     = aws_lambda_permission.this["connect"].qualifier == "live" && aws_lambda_permission.this["message"].qualifier == null
    error_message = "API Gateway may call another version than it calls."
  }
  assert {
    condition     = aws_apigatewayv2_integration.this["connect"].integration_uri == "arn:aws:apigateway:eu-west-1:lambda:path/connect:live"
    error_message = "API Gateway calls past the alias."
  }
}

run "keeps_the_execution_log_for_a_while_only" {
  variables {
    logging_level            = "ERROR"
    account_has_logging_role = true
    log_retention_days       = 7
  }

  assert {
    condition     = aws_cloudwatch_log_group.execution[0].name == "/aws/apigateway/a1b2c3d4e5/live" && aws_cloudwatch_log_group.execution[0].retention_in_days == 7
    error_message = "API Gateway would make the group itself, and it would never expire."
  }
}

run "refuses_a_retention_that_cloudwatch_would" {
  command = plan

  variables {
    log_retention_days = 10
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_a_name_and_a_stage_that_aws_would" {
  command = plan

  variables {
    name  = "has space"
    stage = "live/v2"
  }

  expect_failures = [var.name, var.stage]
}
