output "api_id" {
  description = "Id of the API, the ApiId dimension of its metrics."
  value       = aws_apigatewayv2_api.this.id
}

output "execution_arn" {
  description = "ARN prefix of everything that the API executes; a policy adds `/<stage>/<METHOD>/@connections/*`."
  value       = aws_apigatewayv2_api.this.execution_arn
}

output "management_endpoint" {
  description = "Base URL of `@connections`, stage included. Known before the stage exists, so that functions can have it in their environment."
  value       = local.management_endpoint
}

output "websocket_url" {
  description = "URL that clients open, once the stage serves."
  value       = local.websocket_url

  depends_on = [aws_apigatewayv2_stage.this, aws_apigatewayv2_api_mapping.this]
}

output "domain_target" {
  description = "Where the domain's DNS record must lead: an alias (A) record to `name` in `zone_id`, or a CNAME to `name`. Null without a domain."
  value = one([for domain in aws_apigatewayv2_domain_name.this : {
    name    = one(domain.domain_name_configuration).target_domain_name
    zone_id = one(domain.domain_name_configuration).hosted_zone_id
  }])
}

output "served" {
  description = "Hash of all that the deployment holds. A change of a route, integration or response changes it, and so deploys."
  value       = aws_apigatewayv2_deployment.this.triggers["served"]
}
