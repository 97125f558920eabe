# What a plan refuses, so that nobody learns it from a half-done apply or from an outage.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  artifacts_dir = "tests/fixtures"
  tokens        = { public_key_file = "tests/fixtures/public.pem" }
}

run "refuses_to_run_without_a_key" {
  command = plan

  variables {
    tokens = {}
  }

  expect_failures = [var.tokens]
}

run "refuses_two_keys" {
  command = plan

  variables {
    tokens = { public_key_file = "tests/fixtures/public.pem", public_key = "-----BEGIN PUBLIC KEY-----" }
  }

  expect_failures = [var.tokens]
}

run "refuses_an_empty_key" {
  command = plan

  variables {
    tokens = { public_key = " " }
  }

  expect_failures = [var.tokens]
}

run "refuses_a_key_file_that_is_not_there" {
  command = plan

  variables {
    tokens = { public_key_file = "tests/fixtures/absent.pem" }
  }

  expect_failures = [output.websocket_url]
}

run "refuses_a_private_key" {
  command = plan

  variables {
    # In pieces, so that scanners for keys stay calm.
    tokens = { public_key = "-----BEGIN RSA ${"PRIVATE"} KEY-----\nnone\n-----END RSA ${"PRIVATE"} KEY-----" }
  }

  expect_failures = [output.websocket_url]
}

run "refuses_a_symmetric_jwk" {
  command = plan

  variables {
    tokens = { public_key = "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}" }
  }

  expect_failures = [output.websocket_url]
}

run "takes_a_public_jwk" {
  command = plan

  variables {
    tokens = { public_key = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"d\",\"x\":\"AA\",\"y\":\"AA\"}" }
  }

  assert {
    condition     = strcontains(module.function["connect"].environment["JWT_PUBLIC_KEY"], "P-256")
    error_message = "The key is not passed on."
  }
}

run "refuses_a_limit_below_none" {
  command = plan

  variables {
    limits = { broadcasts_per_connection = -1 }
  }

  expect_failures = [var.limits]
}

run "refuses_keys_over_plain_http" {
  command = plan

  variables {
    tokens = { jwks_url = "http://issuer.example/jwks.json" }
  }

  expect_failures = [var.tokens]
}

run "refuses_unsigned_tokens" {
  command = plan

  variables {
    tokens = { public_key_file = "tests/fixtures/public.pem", algorithms = ["RS256", "none"] }
  }

  expect_failures = [var.tokens]
}

run "refuses_shared_secret_algorithms" {
  command = plan

  variables {
    tokens = { public_key_file = "tests/fixtures/public.pem", algorithms = ["HS256"] }
  }

  expect_failures = [var.tokens]
}

run "refuses_a_tenant_with_a_comma" {
  command = plan

  variables {
    tokens = { public_key_file = "tests/fixtures/public.pem", allowed_tenants = ["acme,globex"] }
  }

  expect_failures = [var.tokens]
}

run "refuses_more_posts_than_the_account_takes" {
  command = plan

  variables {
    post_rate = 10001
  }

  expect_failures = [var.post_rate]
}

run "refuses_the_default_rate_in_a_region_with_the_low_quota" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { name = "eu-central-2" }
  }

  expect_failures = [var.post_rate]
}

run "takes_the_low_quotas_rate_there_and_throttles_by_it" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { name = "eu-central-2" }
  }

  variables {
    post_rate = 2000
  }

  assert {
    condition     = local.account_rps == 2500 && module.function["deliver"].environment["POST_RATE"] == "320"
    error_message = "The region's quota is not the low one."
  }
}

run "believes_a_raised_quota" {
  command = plan

  variables {
    account_rps = 40000
    post_rate   = 30000
  }

  assert {
    condition     = module.function["deliver"].environment["POST_RATE"] == "4800"
    error_message = "The raised quota is not used."
  }
}

run "refuses_a_rate_too_small_to_share" {
  command = plan

  variables {
    post_rate = 9
  }

  expect_failures = [var.post_rate]
}

run "refuses_a_ttl_that_go_cannot_read" {
  command = plan

  variables {
    connection_ttl = "1 day"
  }

  expect_failures = [var.connection_ttl]
}

run "refuses_a_ttl_under_a_minute" {
  command = plan

  variables {
    connection_ttl = "59s"
  }

  expect_failures = [var.connection_ttl]
}

run "refuses_a_ttl_over_thirty_days" {
  command = plan

  variables {
    connection_ttl = "720h1s"
  }

  expect_failures = [var.connection_ttl]
}

run "takes_a_ttl_of_hours_and_minutes" {
  command = plan

  variables {
    connection_ttl = "1h30m"
  }

  assert {
    condition     = module.function["connect"].environment["CONNECTION_TTL"] == "1h30m"
    error_message = "1h30m is not passed on."
  }
}

run "refuses_an_unknown_log_level" {
  command = plan

  variables {
    logs = { level = "verbose" }
  }

  expect_failures = [var.logs]
}

run "refuses_a_retention_that_cloudwatch_would" {
  command = plan

  variables {
    logs = { retention_days = 10 }
  }

  expect_failures = [var.logs]
}

run "refuses_a_prefix_that_leaves_no_room_for_roles" {
  command = plan

  variables {
    name = "a-prefix-of-thirty-one-letters-"
  }

  expect_failures = [var.name]
}

run "thirteen_regions_have_the_low_quota" {
  command = plan

  assert {
    condition     = length(toset(local.account_rps_low_regions)) == 13
    error_message = "AWS names thirteen regions."
  }
}

run "refuses_a_tenant_with_a_space_around_it" {
  command = plan

  variables {
    tokens = { public_key_file = "tests/fixtures/public.pem", allowed_tenants = ["acme "] }
  }

  expect_failures = [var.tokens]
}

run "refuses_a_client_limit_of_half_a_broadcast" {
  command = plan

  variables {
    limits = { broadcasts_per_tenant = 0.5 }
  }

  expect_failures = [var.limits]
}

run "refuses_throttling_to_nothing" {
  command = plan

  variables {
    limits = { throttling_rate = 0 }
  }

  expect_failures = [var.limits]
}

run "refuses_to_reserve_for_an_unknown_function" {
  command = plan

  variables {
    limits = { reserved_concurrency = { deliverer = 10 } }
  }

  expect_failures = [var.limits]
}

run "refuses_to_reserve_less_than_the_event_source_starts" {
  command = plan

  variables {
    limits = { reserved_concurrency = { deliver = 5 } }
  }

  expect_failures = [var.limits]
}

run "refuses_a_roll_back_of_an_unknown_function" {
  command = plan

  variables {
    rollback_to = { conect = "12" }
  }

  expect_failures = [var.rollback_to]
}

run "refuses_a_roll_back_to_what_is_no_version" {
  command = plan

  variables {
    rollback_to = { connect = "$LATEST" }
  }

  expect_failures = [var.rollback_to]
}

run "refuses_a_stage_with_a_slash" {
  command = plan

  variables {
    api = { stage = "live/v2" }
  }

  expect_failures = [var.api]
}

run "refuses_an_execution_log_of_what_clients_send" {
  command = plan

  variables {
    logs = { execution_level = "INFO", account_has_logging_role = true }
  }

  expect_failures = [var.logs]
}

run "refuses_a_tracing_mode_that_there_is_not" {
  command = plan

  variables {
    logs = { tracing_mode = "On" }
  }

  expect_failures = [var.logs]
}

run "refuses_an_alias_as_the_tables_key" {
  command = plan

  variables {
    table = { kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine" }
  }

  expect_failures = [var.table]
}

run "refuses_a_misspelt_threshold" {
  command = plan

  variables {
    alarms = { thresholds = { stale_percents = 10 } }
  }

  expect_failures = [output.dashboard_name]
}

run "refuses_the_age_of_an_unknown_queue" {
  command = plan

  variables {
    alarms = { late_seconds = { delivery = 10 } }
  }

  expect_failures = [var.alarms]
}

run "refuses_a_processor_that_lambda_has_not" {
  command = plan

  variables {
    architecture = "amd64"
  }

  expect_failures = [var.architecture]
}

run "refuses_a_quota_below_one" {
  command = plan

  variables {
    account_rps = 0
  }

  expect_failures = [var.account_rps]
}

run "reserves_as_much_as_the_event_source_starts" {
  command = plan

  variables {
    limits = { reserved_concurrency = { deliver = 6, connect = 0 } }
  }

  assert {
    condition     = module.function["deliver"].reserved_concurrency == 6 && module.function["connect"].reserved_concurrency == 0 && module.function["message"].reserved_concurrency == -1
    error_message = "What is reserved is not what was asked for."
  }
}

run "refuses_tags_that_are_awss" {
  command = plan

  variables {
    tags = { "AWS:team" = "payments" }
  }

  expect_failures = [var.tags]
}

run "refuses_tags_with_characters_that_some_service_refuses" {
  command = plan

  variables {
    tags = { team = "pay|ments" }
  }

  expect_failures = [var.tags]
}
