terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

module "websocket_api" {
  source = "../.."

  name             = "fanfare"
  throttling_rate  = 10000
  throttling_burst = 5000

  # Of the module function, but as text: not its outputs, on which the deployment would depend. Those are for functions_exist.
  functions = {
    message = {
      function_name   = "fanfare-message"
      alias           = "live"
      invoke_arn      = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:fanfare-message:live/invocations"
      timeout_seconds = 10
    }
  }

  routes = {
    "$default" = { function = "message", response = true }
  }
}
