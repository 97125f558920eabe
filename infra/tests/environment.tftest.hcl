# What each function knows, and who reads which queue how.
mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = module.queue["broadcast"].aws_sqs_queue.this
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:fanfare-broadcast", url = "https://sqs/fanfare-broadcast" }
}
override_resource {
  target = module.queue["deliver"].aws_sqs_queue.this
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:fanfare-deliver", url = "https://sqs/fanfare-deliver" }
}

variables {
  artifacts_dir = "tests/fixtures"
  tokens        = { public_key_file = "tests/fixtures/public.pem" }
}

run "each_function_gets_the_names_it_needs" {
  assert {
    # Through JSON, because a list and a tuple of the same strings are never equal.
    condition = jsonencode({ for key, f in module.function : key => keys(f.environment) }) == jsonencode({
      connect    = ["ALLOWED_TENANTS", "CONNECTION_TTL", "JWT_PUBLIC_KEY", "LOG_LEVEL", "TABLE_NAME"]
      message    = ["ALLOWED_TENANTS", "BROADCAST_QUEUE_URL", "CONNECTION_BROADCAST_LIMIT", "CONNECTION_TTL", "JWT_PUBLIC_KEY", "LOG_LEVEL", "TABLE_NAME", "TENANT_BROADCAST_LIMIT", "WEBSOCKET_ENDPOINT"]
      broadcast  = ["BROADCAST_QUEUE_URL", "DELIVERY_QUEUE_URL", "DIRECT_RATE", "LOG_LEVEL", "POST_RATE", "TABLE_NAME", "WEBSOCKET_ENDPOINT"]
      deliver    = ["DELIVERY_QUEUE_URL", "LOG_LEVEL", "POST_RATE", "TABLE_NAME", "WEBSOCKET_ENDPOINT"]
      disconnect = ["LOG_LEVEL", "TABLE_NAME"]
    })
    error_message = "A function's environment has other names than DESIGN gives it."
  }
}

run "the_values_are_those_of_the_resources" {
  assert {
    condition     = module.function["broadcast"].environment["WEBSOCKET_ENDPOINT"] == "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/live" && module.function["broadcast"].environment["WEBSOCKET_ENDPOINT"] == output.management_endpoint
    error_message = "WEBSOCKET_ENDPOINT is not the management endpoint."
  }
  assert {
    condition     = module.function["broadcast"].environment["BROADCAST_QUEUE_URL"] == "https://sqs/fanfare-broadcast" && module.function["broadcast"].environment["DELIVERY_QUEUE_URL"] == "https://sqs/fanfare-deliver"
    error_message = "The queues' URLs are wrong or swapped."
  }
  assert {
    condition     = output.broadcast_queue_url == "https://sqs/fanfare-broadcast" && output.table_name == "fanfare-connections"
    error_message = "The outputs name another queue or table."
  }
  assert {
    condition     = output.websocket_url == "wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/live"
    error_message = "The WebSocket URL is ${output.websocket_url}."
  }
  assert {
    condition     = module.function["connect"].environment["JWT_PUBLIC_KEY"] == trimspace(file("tests/fixtures/public.pem"))
    error_message = "The key is not the file's text."
  }
}

run "token_settings_reach_the_functions_that_check_tokens" {
  variables {
    tokens = {
      jwks_url          = "https://issuer.example/jwks.json"
      issuer            = "https://issuer.example/"
      audience          = "fanfare"
      algorithms        = ["RS256", "ES256"]
      tenant_claim      = "org"
      permissions_claim = "scope"
      allowed_tenants   = ["acme", "globex"]
    }
  }

  assert {
    condition = alltrue([for key in ["connect", "message"] : { for name, value in module.function[key].environment : name => value if startswith(name, "JWT_") || name == "ALLOWED_TENANTS" } == {
      JWT_JWKS_URL          = "https://issuer.example/jwks.json"
      JWT_ISSUER            = "https://issuer.example/"
      JWT_AUDIENCE          = "fanfare"
      JWT_ALGORITHMS        = "RS256,ES256"
      JWT_TENANT_CLAIM      = "org"
      JWT_PERMISSIONS_CLAIM = "scope"
      ALLOWED_TENANTS       = "acme,globex"
    }])
    error_message = "A token setting is lost or changed on its way."
  }
}

run "clients_are_held_to_their_limits" {
  variables {
    limits = { broadcasts_per_tenant = 500 }
  }

  assert {
    condition = (
      module.function["message"].environment["CONNECTION_BROADCAST_LIMIT"] == "20" &&
      module.function["message"].environment["TENANT_BROADCAST_LIMIT"] == "500"
    )
    error_message = "A limit is lost on its way to the function that counts."
  }
}

run "the_rate_is_the_deliverers_but_for_what_is_sent_directly" {
  assert {
    condition = [module.function["broadcast"].environment["POST_RATE"], module.function["broadcast"].environment["DIRECT_RATE"],
    module.function["deliver"].environment["POST_RATE"]] == ["800", "80", "1280"]
    error_message = "8,000 posts a second are split otherwise: six deliverers share 96%, four broadcast functions the rest."
  }
  assert {
    condition = (
      tonumber(module.function["broadcast"].environment["DIRECT_RATE"]) * one(aws_lambda_event_source_mapping.this["broadcast"].scaling_config).maximum_concurrency +
      tonumber(module.function["deliver"].environment["POST_RATE"]) * one(aws_lambda_event_source_mapping.this["deliver"].scaling_config).maximum_concurrency
    ) <= var.post_rate
    error_message = "All senders together exceed post_rate."
  }
}

run "an_uneven_share_is_rounded_down" {
  variables {
    post_rate = 999
  }

  assert {
    condition     = module.function["deliver"].environment["POST_RATE"] == "159" && module.function["broadcast"].environment["DIRECT_RATE"] == "9.99"
    error_message = "Rounding up would exceed post_rate."
  }
}

run "queues_are_read_in_bounds_and_failures_reported_one_by_one" {
  assert {
    condition = { for key, m in aws_lambda_event_source_mapping.this : key => [m.event_source_arn, m.batch_size, one(m.scaling_config).maximum_concurrency] } == {
      broadcast = ["arn:aws:sqs:eu-west-1:111122223333:fanfare-broadcast", 1, 4]
      deliver   = ["arn:aws:sqs:eu-west-1:111122223333:fanfare-deliver", 1, 6]
    }
    error_message = "A queue is read from by other bounds."
  }
  assert {
    condition     = alltrue([for m in values(aws_lambda_event_source_mapping.this) : m.function_response_types == toset(["ReportBatchItemFailures"])])
    error_message = "One failed message would bring back its whole batch."
  }
}

run "a_broadcast_may_go_on_in_more_calls_than_a_failure_is_tried_again" {
  assert {
    condition = { for key, queue in module.queue : key => queue.max_receive_count } == {
      broadcast = 12
      deliver   = 5
    }
    error_message = "A message becomes a dead letter after another number of receives."
  }
}

run "messages_stay_hidden_six_times_as_long_as_their_reader_may_run" {
  assert {
    condition     = alltrue([for key in ["broadcast", "deliver"] : module.queue[key].visibility_timeout_seconds >= 6 * module.function[key].timeout])
    error_message = "A message could be received again while it is still worked on."
  }
}

run "every_route_of_the_table_leads_to_a_function" {
  assert {
    condition     = alltrue([for route in values(local.routes) : contains(keys(module.function), route.function)])
    error_message = "routes.json names a function that is not deployed."
  }
  assert {
    condition     = toset(keys(local.routes)) == toset(["$connect", "$disconnect", "$default", "ping", "subscribe", "unsubscribe", "broadcast", "authenticate"])
    error_message = "routes.json has other routes than the protocol."
  }
}
