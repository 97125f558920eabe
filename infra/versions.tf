# Terraform 1.9 is the first whose variable validations may refer to other variables, which the rate and key checks do.
# The provider stays below 6.0: 6.0 gives every resource a `region` argument and renames `data.aws_region.name`, and the
# calls that the local cloud answers were measured with 5.100.0. 5.80 is the oldest we mean to support; tests run on 5.100.0.
terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 6.0"
    }
  }
}

# No region, endpoint or credential here: AWS_REGION, AWS_ENDPOINT_URL and the usual keys say where to, so one root module
# serves AWS and the local cloud. Credential checks are not skipped either: without STS every ARN would lose its account.
provider "aws" {
  default_tags {
    tags = merge({ Application = var.name, ManagedBy = "terraform" }, var.tags)
  }
}
