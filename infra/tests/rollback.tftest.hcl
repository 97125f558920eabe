# A roll-back is one variable. Whatever calls a function calls its alias, and only the alias knows a version.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  artifacts_dir = "tests/fixtures"
  tokens        = { public_key_file = "tests/fixtures/public.pem" }
}

run "serves_the_newest_version" {
  assert {
    condition     = output.function_versions == { for key, function in module.function : key => "7" }
    error_message = "A function does not serve the version that was published last."
  }
}

run "the_api_calls_the_alias" {
  assert {
    condition = alltrue([for key in ["connect", "message", "disconnect"] :
      local.invoke_arns[key] == "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:fanfare-${key}:${module.function[key].alias}/invocations"
    ])
    error_message = "The API calls something else than a function's alias: ${jsonencode(local.invoke_arns)}."
  }
}

run "queues_call_the_alias" {
  assert {
    condition     = alltrue([for key, m in aws_lambda_event_source_mapping.this : m.function_name == module.function[key].alias_arn && endswith(m.function_name, ":live")])
    error_message = "A queue calls the function past its alias: a roll-back would not reach it."
  }
}

run "goes_back_by_one_variable" {
  variables {
    rollback_to = { connect = "3" }
  }

  assert {
    condition     = output.function_versions == merge({ for key, function in module.function : key => "7" }, { connect = "3" })
    error_message = "The roll-back does not reach the alias, or reaches others."
  }
}

run "goes_forward_without_it" {
  assert {
    condition     = output.function_versions["connect"] == "7"
    error_message = "The function stays rolled back."
  }
}
