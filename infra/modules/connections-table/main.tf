# One table holds every row (connections, memberships, receipts, claims), so pk and sk are plain strings. There is no index:
# a connection's row lists its memberships, so clean-up deletes by key and nothing has to be found by another attribute.
resource "aws_dynamodb_table" "this" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  # Deletion is best effort and may lag by days, so readers skip expired rows themselves.
  ttl {
    attribute_name = "expiresAt"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  # `enabled` moves from DynamoDB's own key to a KMS key, whose use CloudTrail shows; without an ARN it is alias/aws/dynamodb.
  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}
