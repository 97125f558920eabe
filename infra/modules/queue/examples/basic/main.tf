terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

module "queue" {
  source = "../.."

  name                     = "fanfare-broadcast"
  consumer_timeout_seconds = 60
}
