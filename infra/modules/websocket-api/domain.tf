# A name of one's own for clients. The functions go on posting to API Gateway's own address, which therefore stays open:
# `disable_execute_api_endpoint` would shut them out too.
resource "aws_apigatewayv2_domain_name" "this" {
  count = var.domain == null ? 0 : 1

  domain_name = var.domain.name

  domain_name_configuration {
    certificate_arn = var.domain.certificate_arn
    endpoint_type   = "REGIONAL" # WebSocket APIs know no other
    security_policy = "TLS_1_2"
  }

  lifecycle {
    precondition {
      condition     = split(":", var.domain.certificate_arn)[3] == data.aws_region.current.name
      error_message = "The certificate of ${var.domain.name} is in another region. A regional domain takes only certificates of its own region, ${data.aws_region.current.name}."
    }
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = var.domain == null ? 0 : 1

  api_id      = aws_apigatewayv2_api.this.id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.this.id
}
