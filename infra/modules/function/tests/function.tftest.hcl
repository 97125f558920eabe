mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mocked" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { version = "7" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:fanfare-connect:live" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/fanfare-connect" }
  }
}

variables {
  name     = "fanfare-connect"
  filename = "tests/fixtures/placeholder.zip"

  statements = [{
    sid       = "UseTable"
    actions   = ["dynamodb:PutItem"]
    resources = ["arn:aws:dynamodb:eu-west-1:111122223333:table/fanfare-connections"]
  }]
}

run "is_a_go_executable_on_arm64" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.handler == "bootstrap"
    error_message = "The runtime or the handler is not that of a Go executable."
  }
  assert {
    condition     = aws_lambda_function.this.architectures == tolist(["arm64"])
    error_message = "The default processor is not arm64."
  }
  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("tests/fixtures/placeholder.zip")
    error_message = "A new zip would not be deployed."
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1
    error_message = "Concurrency is reserved by default, which new accounts may not have."
  }
}

run "has_a_role_of_its_own_that_only_lambda_takes" {
  command = plan

  assert {
    condition     = aws_iam_role.this.name == "fanfare-connect-eu-west-1"
    error_message = "The role's name lacks the region, so a second region's deployment would collide."
  }
  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" }
    }]
    error_message = "Others than Lambda may take the role."
  }
}

run "may_do_what_it_was_given_and_write_its_own_logs" {
  command = apply

  assert {
    condition = jsondecode(output.policy_json).Statement == [
      {
        Sid      = "WriteOwnLogs", Effect = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/fanfare-connect:*"]
      },
      {
        Sid      = "UseTable", Effect = "Allow"
        Action   = ["dynamodb:PutItem"]
        Resource = ["arn:aws:dynamodb:eu-west-1:111122223333:table/fanfare-connections"]
      },
    ]
    error_message = "The policy is not the two statements: ${output.policy_json}"
  }
}

run "keeps_logs_for_a_while_only" {
  command = plan

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/fanfare-connect" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "The function's logs are kept for ever, or in another group."
  }
}

run "may_send_traces_only_when_tracing" {
  command = apply

  variables {
    tracing_mode = "Active"
  }

  assert {
    condition     = [for s in jsondecode(output.policy_json).Statement : s.Action if contains(s.Resource, "*")] == [["xray:PutTelemetryRecords", "xray:PutTraceSegments"]]
    error_message = "\"*\" is allowed for something else than the two X-Ray actions, which know no resources."
  }
}

run "joins_both_environments" {
  command = plan

  variables {
    environment                = { LOG_LEVEL = "info" }
    environment_from_resources = { TABLE_NAME = "fanfare-connections" }
  }

  assert {
    condition     = output.environment == tomap({ LOG_LEVEL = "info", TABLE_NAME = "fanfare-connections" })
    error_message = "The function does not get both."
  }
}

run "takes_an_environment_of_exactly_3584_bytes" {
  command = plan

  variables {
    environment = { KEY = format("%03581d", 0) }
  }

  assert {
    condition     = length(output.environment.KEY) == 3581
    error_message = "The value was changed."
  }
}

run "refuses_an_environment_over_3_5_KB" {
  command = plan

  variables {
    environment = { KEY = format("%03590d", 0) }
  }

  expect_failures = [var.environment]
}

# 1,200 characters, 3,600 bytes: characters must not be what is counted.
run "counts_bytes_not_characters" {
  command = plan

  variables {
    environment = { KEY = replace(format("%01200d", 0), "0", "€") }
  }

  expect_failures = [var.environment]
}

run "refuses_addresses_that_fill_the_rest" {
  command = plan

  variables {
    environment_from_resources = { KEY = format("%0600d", 0) }
  }

  expect_failures = [var.environment_from_resources]
}

run "refuses_every_resource" {
  command = plan

  variables {
    statements = [{ sid = "Wide", actions = ["sqs:SendMessage"], resources = ["*"] }]
  }

  expect_failures = [var.statements]
}

run "refuses_every_action" {
  command = plan

  variables {
    statements = [{ sid = "Wide", actions = ["sqs:*"], resources = ["arn:aws:sqs:eu-west-1:111122223333:q"] }]
  }

  expect_failures = [var.statements]
}

run "refuses_an_empty_statement" {
  command = plan

  variables {
    statements = [{ sid = "Empty", actions = ["sqs:SendMessage"], resources = [] }]
  }

  expect_failures = [var.statements]
}

run "refuses_a_missing_zip" {
  command = plan

  variables {
    filename = "tests/fixtures/absent.zip"
  }

  expect_failures = [aws_lambda_function.this]
}

run "refuses_another_processor" {
  command = plan

  variables {
    architecture = "riscv64"
  }

  expect_failures = [var.architecture]
}

run "refuses_a_retention_that_cloudwatch_would" {
  command = plan

  variables {
    log_retention_days = 10
  }

  expect_failures = [var.log_retention_days]
}

run "refuses_memory_and_time_that_lambda_would" {
  command = plan

  variables {
    memory_size = 64
    timeout     = 901
  }

  expect_failures = [var.memory_size, var.timeout]
}

run "refuses_a_name_whose_role_has_no_room" {
  command = plan

  variables {
    name = "f2345678901234567890123456789012345678901234567890"
  }

  expect_failures = [var.name]
}

run "refuses_a_tracing_mode_that_there_is_not" {
  command = plan

  variables {
    tracing_mode = "On"
  }

  expect_failures = [var.tracing_mode]
}

run "publishes_each_change_and_serves_the_newest" {
  assert {
    condition     = aws_lambda_function.this.publish && output.alias == "live" && output.version == "7"
    error_message = "Callers of the alias would not get the newest version."
  }
}

run "goes_back_to_a_version_and_leaves_the_function_alone" {
  variables {
    rollback_to = "3"
  }

  assert {
    condition     = output.version == "3" && aws_lambda_function.this.version == "7"
    error_message = "The alias does not go back, or more than the alias changes."
  }
}

run "refuses_to_go_back_to_what_is_no_version" {
  command = plan

  variables {
    rollback_to = "$LATEST"
  }

  expect_failures = [var.rollback_to]
}

run "reserves_at_least_what_its_event_sources_start" {
  command = plan

  variables {
    concurrency = { reserved = 6, event_sources = 6 }
  }

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 6
    error_message = "The reservation is not made."
  }
}

run "refuses_to_reserve_less_than_its_event_sources_start" {
  command = plan

  variables {
    concurrency = { reserved = 5, event_sources = 6 }
  }

  expect_failures = [var.concurrency]
}

run "can_be_stopped" {
  command = plan

  variables {
    concurrency = { reserved = 0, event_sources = 6 }
  }

  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 0
    error_message = "The function goes on."
  }
}

run "may_do_something_on_a_condition" {
  variables {
    statements = [{
      sid       = "UseTableKey"
      actions   = ["kms:Decrypt"]
      resources = ["arn:aws:kms:eu-west-1:111122223333:key/abc"]
      condition = { StringEquals = { "kms:ViaService" = "dynamodb.eu-west-1.amazonaws.com" } }
    }]
  }

  assert {
    condition     = [for s in jsondecode(output.policy_json).Statement : s.Condition if s.Sid == "UseTableKey"] == [{ StringEquals = { "kms:ViaService" = "dynamodb.eu-west-1.amazonaws.com" } }]
    error_message = "The condition is lost: ${output.policy_json}"
  }
}

run "the_example_applies" {
  module {
    source = "./examples/basic"
  }
}
