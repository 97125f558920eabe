# A domain of one's own. The local cloud refuses custom domains, so that these mocked runs are all that tries them.
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
  mock_resource "aws_apigatewayv2_domain_name" {
    defaults = { id = "ws.example.com" }
  }
}

variables {
  name             = "fanfare"
  throttling_rate  = 10000
  throttling_burst = 5000

  functions = {
    message = { function_name = "fanfare-message", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/message", timeout_seconds = 10 }
  }
  routes = { "$default" = { function = "message" } }
  domain = { name = "ws.example.com", certificate_arn = "arn:aws:acm:eu-west-1:111122223333:certificate/abc" }
}

run "maps_the_domain_to_the_stage" {
  assert {
    condition     = aws_apigatewayv2_api_mapping.this[0].api_id == "a1b2c3d4e5" && aws_apigatewayv2_api_mapping.this[0].stage == aws_apigatewayv2_stage.this.id && aws_apigatewayv2_api_mapping.this[0].domain_name == "ws.example.com"
    error_message = "The domain leads elsewhere."
  }
  assert {
    condition     = one(aws_apigatewayv2_domain_name.this[0].domain_name_configuration).endpoint_type == "REGIONAL" && one(aws_apigatewayv2_domain_name.this[0].domain_name_configuration).security_policy == "TLS_1_2"
    error_message = "The domain is not regional with TLS 1.2."
  }
}

run "clients_get_the_domain_and_functions_the_apis_own_address" {
  assert {
    condition     = output.websocket_url == "wss://ws.example.com"
    error_message = "The WebSocket URL is ${output.websocket_url}."
  }
  assert {
    condition     = output.management_endpoint == "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/live"
    error_message = "The management endpoint is ${output.management_endpoint}."
  }
  assert {
    condition     = output.domain_target != null
    error_message = "Nobody learns where the DNS record must lead."
  }
}

run "none_is_made_unless_asked_for" {
  variables {
    domain = null
  }

  assert {
    condition     = length(aws_apigatewayv2_domain_name.this) == 0 && output.domain_target == null
    error_message = "A domain is made that nobody asked for."
  }
}

run "refuses_a_certificate_of_another_region" {
  command = plan

  variables {
    domain = { name = "ws.example.com", certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/abc" }
  }

  expect_failures = [aws_apigatewayv2_domain_name.this]
}

run "refuses_a_url_for_a_name" {
  command = plan

  variables {
    domain = { name = "wss://ws.example.com", certificate_arn = "arn:aws:acm:eu-west-1:111122223333:certificate/abc" }
  }

  expect_failures = [var.domain]
}

run "refuses_what_is_no_certificate" {
  command = plan

  variables {
    domain = { name = "ws.example.com", certificate_arn = "arn:aws:iam::111122223333:server-certificate/abc" }
  }

  expect_failures = [var.domain]
}
