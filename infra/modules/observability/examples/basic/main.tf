terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

module "observability" {
  source = "../.."

  name       = "fanfare"
  api        = { id = "a1b2c3d4e5", stage = "live" }
  table_name = "fanfare-connections"
  functions  = { for key in ["connect", "message", "broadcast", "deliver", "disconnect"] : key => "fanfare-${key}" }

  queues = {
    deliver = {
      name                = "fanfare-deliver"
      dead_letter_name    = "fanfare-deliver-dead-letters"
      maximum_age_seconds = 300
    }
  }

  thresholds = { post_p99_ms = 500 }
  topic      = { create = false, arns = ["arn:aws:sns:eu-west-1:111122223333:on-call"] }
}
