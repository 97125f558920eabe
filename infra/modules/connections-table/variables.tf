variable "name" {
  description = "Name of the table."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "A table's name has 3 to 255 characters of a-z, A-Z, 0-9, '_', '.' and '-'."
  }
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table, and so `terraform destroy` fails on it."
  type        = bool
  default     = true
  nullable    = false
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "KMS key that encrypts the table; null means the AWS managed key alias/aws/dynamodb. The policy of a key of your own must let the functions' roles use it through DynamoDB."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn is the full ARN of a KMS key (arn:aws:kms:...), not an alias or an id."
  }
}
