# The local cloud answers CreateApi with a plain address of this machine; https there would reach nothing.
mock_provider "aws" {
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      api_endpoint  = "ws://localhost:4566/_aws/execute-api/a1b2c3d4e5"
      execution_arn = "arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5"
    }
  }
}

variables {
  name             = "fanfare"
  throttling_rate  = 10000
  throttling_burst = 5000

  functions = {
    message = { function_name = "fanfare-message", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/message", timeout_seconds = 10 }
  }
  routes = { "$default" = { function = "message" } }
}

run "builds_plain_urls_from_a_plain_endpoint" {
  assert {
    condition     = output.websocket_url == "ws://localhost:4566/_aws/execute-api/a1b2c3d4e5/live"
    error_message = "The WebSocket URL is ${output.websocket_url}."
  }
  assert {
    condition     = output.management_endpoint == "http://localhost:4566/_aws/execute-api/a1b2c3d4e5/live"
    error_message = "The management endpoint is ${output.management_endpoint}."
  }
}
