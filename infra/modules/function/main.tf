data "aws_region" "current" {}

locals {
  # Lambda's own log stream names are not predictable, so the right ends at the function's own group.
  write_logs = {
    sid       = "WriteOwnLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
    condition = {}
  }

  # X-Ray knows no resources, so these two actions can only be allowed on "*". They are here, and not in `statements`,
  # which refuses "*", and only when tracing is asked for.
  send_traces = {
    sid       = "SendTraces"
    actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
    resources = ["*"]
    condition = {}
  }

  statements = concat(
    [local.write_logs],
    var.tracing_mode == "Active" ? [local.send_traces] : [],
    var.statements,
  )
}

# Made here and not by Lambda at the first call, because Lambda's would never expire and would outlive a destroy.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

# One role per function, so that a permission of one is never a permission of another. IAM is global while functions are
# regional: without the region in its name a second region's deployment would collide with the first.
resource "aws_iam_role" "this" {
  name        = "${var.name}-${data.aws_region.current.name}"
  description = "What the Lambda function ${var.name} may do"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "function"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for s in local.statements : merge({
      Sid      = s.sid
      Effect   = "Allow"
      Action   = s.actions
      Resource = s.resources
    }, length(s.condition) > 0 ? { Condition = s.condition } : {})]
  })
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  # The OS-only runtime: the zip holds one static executable named bootstrap; Go ignores the handler's name.
  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.architecture]

  filename = var.filename
  # Null when the file is missing lets `destroy` pass after the builds were cleaned; the precondition stops any other plan.
  source_code_hash = fileexists(var.filename) ? filebase64sha256(var.filename) : null

  # Each change of code or configuration becomes a version that stays as it is, and that the alias can go back to.
  publish = true

  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.concurrency.reserved

  environment {
    variables = merge(var.environment, var.environment_from_resources)
  }

  tracing_config {
    mode = var.tracing_mode
  }

  # The log group first, or the first call makes one without retention; the policy first, or an event source is refused
  # because its function may not read the queue.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]

  lifecycle {
    precondition {
      condition     = fileexists(var.filename)
      error_message = "The function's zip ${var.filename} is not there. Run `make build` first, or set artifacts_dir to the folder that holds it."
    }
  }
}

# What callers call. A version is chosen here and nowhere else, so going back is one change of one resource, in a second.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = var.rollback_to == null ? "The newest version" : "Rolled back to version ${var.rollback_to}"
  function_name    = aws_lambda_function.this.function_name
  function_version = coalesce(var.rollback_to, aws_lambda_function.this.version)
}
