terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

module "connections_table" {
  source = "../.."

  name = "fanfare-connections"
}
