# A deployment is a snapshot, and the provider makes a new one when its trigger changes. These runs share one state, so each asks
# whether its change is served: the trigger is compared with that of the run before.
mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      api_endpoint  = "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5"
    }
  }
}

variables {
  name             = "fanfare"
  throttling_rate  = 10000
  throttling_burst = 5000

  functions = {
    connect = { function_name = "fanfare-connect", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/connect", timeout_seconds = 10 }
    message = { function_name = "fanfare-message", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/message", timeout_seconds = 10 }
  }

  routes = {
    "$connect" = { function = "connect" }
    "ping"     = { function = "message" }
  }
}

run "first" {
  assert {
    condition     = output.served == aws_apigatewayv2_deployment.this.triggers.served
    error_message = "The trigger is not the hash."
  }
  assert {
    condition     = aws_apigatewayv2_stage.this.deployment_id == aws_apigatewayv2_deployment.this.id
    error_message = "The stage serves another deployment."
  }
}

run "nothing_changed" {
  assert {
    condition     = output.served == run.first.served
    error_message = "A second apply would deploy again."
  }
}

run "throttling_changed" {
  variables {
    throttling_rate = 5000
  }

  assert {
    condition     = output.served == run.first.served
    error_message = "The stage's own settings need no deployment."
  }
}

run "route_added" {
  variables {
    routes = {
      "$connect" = { function = "connect" }
      "ping"     = { function = "message" }
      "extra"    = { function = "message" }
    }
  }

  assert {
    condition     = output.served != run.first.served
    error_message = "The new route would not be served."
  }
}

run "route_moved_to_another_function" {
  variables {
    routes = {
      "$connect" = { function = "connect" }
      "ping"     = { function = "message" }
      "extra"    = { function = "connect" }
    }
  }

  assert {
    condition     = output.served != run.route_added.served
    error_message = "The route would still go to the old function."
  }
}

run "response_added" {
  variables {
    routes = {
      "$connect" = { function = "connect" }
      "ping"     = { function = "message", response = true }
      "extra"    = { function = "connect" }
    }
  }

  assert {
    condition     = output.served != run.route_moved_to_another_function.served
    error_message = "The response would not be served."
  }
}

run "route_removed" {
  variables {
    routes = {
      "$connect" = { function = "connect" }
      "ping"     = { function = "message", response = true }
    }
  }

  assert {
    condition     = output.served != run.response_added.served
    error_message = "The removed route would still be served."
  }
}

run "integration_changed" {
  variables {
    routes = {
      "$connect" = { function = "connect" }
      "ping"     = { function = "message", response = true }
    }
    functions = {
      connect = { function_name = "fanfare-connect", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/connect", timeout_seconds = 10 }
      message = { function_name = "fanfare-message", invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/message", timeout_seconds = 20 }
    }
  }

  assert {
    condition     = output.served != run.route_removed.served
    error_message = "The changed integration would not be served."
  }
}
