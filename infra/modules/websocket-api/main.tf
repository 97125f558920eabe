locals {
  # Both URLs come from the API and the stage's NAME, not from the stage. The functions need the endpoint in their environment,
  # the integrations need the functions' ARNs, and the stage needs the integrations: stage.invoke_url would close that ring.
  websocket_url       = var.domain == null ? "${aws_apigatewayv2_api.this.api_endpoint}/${var.stage}" : "wss://${var.domain.name}"
  management_endpoint = "${replace(aws_apigatewayv2_api.this.api_endpoint, "/^ws/", "http")}/${var.stage}" # wss -> https, ws -> http

  routes_with_response = { for key, route in var.routes : key => route if route.response }
}

resource "aws_apigatewayv2_api" "this" {
  name                       = var.name
  description                = var.description
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = var.functions

  api_id                    = aws_apigatewayv2_api.this.id
  description               = each.key
  integration_type          = "AWS_PROXY"
  integration_method        = "POST" # Lambda's Invoke is a POST, whatever the route
  integration_uri           = each.value.invoke_arn
  content_handling_strategy = "CONVERT_TO_TEXT"

  # No longer than the function itself may take; 29 s is API Gateway's limit for WebSocket APIs.
  timeout_milliseconds = min(each.value.timeout_seconds * 1000, 29000)
}

resource "aws_apigatewayv2_route" "this" {
  for_each = var.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this[each.value.function].id}"
  authorization_type = "NONE" # the connect function checks the token itself

  # Without this and a route response, API Gateway drops what the function returns.
  route_response_selection_expression = each.value.response ? "$default" : null
}

resource "aws_apigatewayv2_route_response" "this" {
  for_each = local.routes_with_response

  api_id             = aws_apigatewayv2_api.this.id
  route_id           = aws_apigatewayv2_route.this[each.key].id
  route_response_key = "$default" # the only key there is
}

# A deployment is a snapshot: what changes afterwards is not served. Therefore everything that it holds is in the hash.
resource "aws_apigatewayv2_deployment" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  description = "Routes, integrations and responses of ${var.name}"

  triggers = {
    served = sha256(jsonencode({
      selection = aws_apigatewayv2_api.this.route_selection_expression
      integrations = { for key, i in aws_apigatewayv2_integration.this : key => [
        i.id, i.integration_type, i.integration_method, i.integration_uri, i.content_handling_strategy, i.timeout_milliseconds,
      ] }
      routes = { for key, r in aws_apigatewayv2_route.this : key => [
        r.id, r.target, r.authorization_type, r.route_response_selection_expression,
      ] }
      responses = { for key, r in aws_apigatewayv2_route_response.this : key => [r.id, r.route_response_key] }
    }))
  }

  # The stage must be moved to the new deployment before the old one goes; a deployment in use cannot be deleted.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "this" {
  api_id        = aws_apigatewayv2_api.this.id
  name          = var.stage
  deployment_id = aws_apigatewayv2_deployment.this.id
  auto_deploy   = false # half-applied routes must not be served

  # This block is always here and always whole: given without its throttling values the provider sends zeros, and API
  # Gateway then answers 429 to everything.
  default_route_settings {
    throttling_rate_limit    = var.throttling_rate
    throttling_burst_limit   = var.throttling_burst
    logging_level            = var.logging_level
    detailed_metrics_enabled = false
    # Never true, and therefore no variable: the trace holds whole events, with the token in the query string.
    data_trace_enabled = false
  }

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access
    content {
      destination_arn = access_log_settings.value.arn
      format          = local.access_log_format
    }
  }

  # No socket may arrive while a function still refuses the API. The account's role, because logging needs it. The execution
  # log's group, or API Gateway makes one that never expires.
  depends_on = [aws_lambda_permission.this, aws_api_gateway_account.this, aws_cloudwatch_log_group.execution]

  lifecycle {
    precondition {
      condition     = !local.logs || var.manage_account_logging_role || var.account_has_logging_role
      error_message = "API Gateway writes logs only with a CloudWatch role in the account's settings for this region. Set manage_account_logging_role to have it made, or account_has_logging_role if it is there already."
    }
    precondition {
      condition     = !(var.manage_account_logging_role && var.account_has_logging_role)
      error_message = "Set manage_account_logging_role or account_has_logging_role, not both: managing the role would replace the one that the account has."
    }
  }
}

# Each function may be called by its own API's one stage, by no other API and no other stage.
resource "aws_lambda_permission" "this" {
  for_each = var.functions

  statement_id  = "websocket-api"
  action        = "lambda:InvokeFunction"
  function_name = each.value.function_name
  qualifier     = each.value.alias # a right to call one alias is none to call another, or the bare function
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/${var.stage}/*"

  depends_on = [var.functions_exist]
}
