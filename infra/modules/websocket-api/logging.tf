# API Gateway's own logs, off by default: they need a role in the settings of the whole account and region, which other APIs
# there share. The functions' logs do not depend on it.
locals {
  logs = var.access_logs || var.logging_level != "OFF"

  # One JSON line per connect, message and disconnect. The query string, which may hold a token, is not in it.
  # AWS demands $context.requestId or $context.extendedRequestId.
  access_log_format = jsonencode({
    requestId         = "$context.requestId"
    time              = "$context.requestTime"
    eventType         = "$context.eventType"
    routeKey          = "$context.routeKey"
    connectionId      = "$context.connectionId"
    messageId         = "$context.messageId"
    status            = "$context.status"
    integrationStatus = "$context.integrationStatus"
    integrationError  = "$context.integrationErrorMessage"
    latency           = "$context.integrationLatency"
    error             = "$context.error.message"
    disconnectCode    = "$context.disconnectStatusCode"
  })
}

resource "aws_cloudwatch_log_group" "access" {
  count = var.access_logs ? 1 : 0

  name              = "/aws/apigateway/${var.name}/${var.stage}"
  retention_in_days = var.log_retention_days
}

# API Gateway chooses this name. Made here so that it expires and goes with a destroy.
resource "aws_cloudwatch_log_group" "execution" {
  count = var.logging_level == "OFF" ? 0 : 1

  name              = "/aws/apigateway/${aws_apigatewayv2_api.this.id}/${var.stage}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "logging" {
  count = var.manage_account_logging_role ? 1 : 0

  name        = "${var.name}-api-gateway-logs-${data.aws_region.current.name}"
  description = "Lets API Gateway write the logs of every API of this account and region"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "apigateway.amazonaws.com" }
    }]
  })
}

# AWS's own policy for this purpose: API Gateway checks the role for these rights, on all groups, before it takes it.
resource "aws_iam_role_policy_attachment" "logging" {
  count = var.manage_account_logging_role ? 1 : 0

  role       = aws_iam_role.logging[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

# A setting of the account: destroying this resource leaves it as it is, since other APIs may rely on it.
resource "aws_api_gateway_account" "this" {
  count = var.manage_account_logging_role ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.logging[0].arn

  depends_on = [aws_iam_role_policy_attachment.logging]
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
