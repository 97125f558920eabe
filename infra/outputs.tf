output "websocket_url" {
  description = "URL that clients open, with their JWT."
  value       = module.websocket_api.websocket_url

  # Here and not at the variables, because a destroy turns an output's precondition into a warning, and must work after
  # the key's file was cleaned away.
  precondition {
    condition     = !local.jwt_public_key_missing
    error_message = "The key file that jwt_public_key_file names (${coalesce(local.jwt_public_key_path, "none")}) is not there. Its path is relative to the root module."
  }
  precondition {
    condition     = !local.jwt_key_is_secret
    error_message = "jwt_public_key (or its file) holds a private or symmetric key. Give the public half: whoever reads the functions' environment could mint tokens with this one. If it is a real key, replace it."
  }
}

output "management_endpoint" {
  description = "Base URL of API Gateway's @connections, stage included."
  value       = module.websocket_api.management_endpoint
}

output "table_name" {
  description = "Name of the DynamoDB table with the connections, memberships and receipts."
  value       = module.connections_table.name
}

output "broadcast_queue_url" {
  description = "URL of the queue to which back ends send broadcasts with SendMessage."
  value       = module.queue["broadcast"].url
}

output "publisher_policy_json" {
  description = "IAM policy document that lets a back end publish: attach it to the back end's role. It allows SendMessage (and so SendMessageBatch) on the broadcast queue, nothing else."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "PublishBroadcasts"
      Effect   = "Allow"
      Action   = "sqs:SendMessage"
      Resource = module.queue["broadcast"].arn
    }]
  })
}
