output "websocket_url" {
  description = "URL that clients open, with their JWT."
  value       = module.websocket_api.websocket_url

  # Here and not at the variables, because a destroy turns an output's precondition into a warning, and must work after
  # the key's file was cleaned away.
  precondition {
    condition     = !local.jwt_public_key_missing
    error_message = "The key file that tokens.public_key_file names (${coalesce(local.jwt_public_key_path, "none")}) is not there. Its path is relative to the root module."
  }
  precondition {
    condition     = !local.jwt_key_is_secret
    error_message = "tokens.public_key (or its file) holds a private or symmetric key. Give the public half: whoever reads the functions' environment could mint tokens with this one. If it is a real key, replace it."
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

output "function_versions" {
  description = "The version of each function that serves, for rollback_to."
  value       = { for key, function in module.function : key => function.version }
}

# Terraform drops an attribute that it does not know from an object without a word, so a misspelt `allowed_tenant` would let everybody
# in. What was understood is shown by every plan that changes it.
output "who_may_connect" {
  description = "What is asked of a token, as it was understood from `tokens`."
  value = {
    issuer     = coalesce(var.tokens.issuer, "any")
    audience   = coalesce(var.tokens.audience, "any")
    algorithms = var.tokens.algorithms == null ? "RS256" : join(",", var.tokens.algorithms)
    tenants    = length(var.tokens.allowed_tenants) == 0 ? "all that the issuer signs for" : join(",", var.tokens.allowed_tenants)
  }
}

output "domain_target" {
  description = "Where the DNS record of `api.domain` must lead: `name` and, for an alias record, `zone_id`. Null without a domain."
  value       = module.websocket_api.domain_target
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = module.observability.dashboard_name

  precondition {
    condition     = length(setsubtract(keys(var.alarms.thresholds), keys(module.observability.thresholds))) == 0
    error_message = "alarms.thresholds names what there is not. They are ${join(", ", keys(module.observability.thresholds))}."
  }
}

output "alarm_topic_arn" {
  description = "ARN of the SNS topic that hears of alarms, to subscribe to; null where none was made."
  value       = module.observability.topic_arn
}
