terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

module "connect" {
  source = "../.."

  name     = "fanfare-connect"
  filename = "${path.module}/connect.zip" # an executable called bootstrap in a zip: `make build` makes ours

  environment                = { LOG_LEVEL = "info" }
  environment_from_resources = { TABLE_NAME = "fanfare-connections" }

  statements = [{
    sid       = "UseTable"
    actions   = ["dynamodb:PutItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:111122223333:table/fanfare-connections"]
  }]
}
