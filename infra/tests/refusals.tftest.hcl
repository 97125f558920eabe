# What a plan refuses, so that nobody learns it from a half-done apply or from an outage.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  artifacts_dir       = "tests/fixtures"
  jwt_public_key_file = "tests/fixtures/public.pem"
}

run "refuses_to_run_without_a_key" {
  command = plan

  variables {
    jwt_public_key_file = null
  }

  expect_failures = [var.jwt_public_key]
}

run "refuses_two_keys" {
  command = plan

  variables {
    jwt_public_key = "-----BEGIN PUBLIC KEY-----"
  }

  expect_failures = [var.jwt_public_key]
}

run "refuses_an_empty_key" {
  command = plan

  variables {
    jwt_public_key      = " "
    jwt_public_key_file = null
  }

  expect_failures = [var.jwt_public_key]
}

run "refuses_a_key_file_that_is_not_there" {
  command = plan

  variables {
    jwt_public_key_file = "tests/fixtures/absent.pem"
  }

  expect_failures = [output.websocket_url]
}

run "refuses_a_private_key" {
  command = plan

  variables {
    jwt_public_key_file = null
    jwt_public_key      = "-----BEGIN RSA ${"PRIVATE"} KEY-----\nnone\n-----END RSA ${"PRIVATE"} KEY-----" # in pieces, so that scanners for keys stay calm
  }

  expect_failures = [output.websocket_url]
}

run "refuses_a_symmetric_jwk" {
  command = plan

  variables {
    jwt_public_key_file = null
    jwt_public_key      = "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}"
  }

  expect_failures = [output.websocket_url]
}

run "takes_a_public_jwk" {
  command = plan

  variables {
    jwt_public_key_file = null
    jwt_public_key      = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"d\",\"x\":\"AA\",\"y\":\"AA\"}"
  }

  assert {
    condition     = strcontains(module.function["connect"].environment["JWT_PUBLIC_KEY"], "P-256")
    error_message = "The key is not passed on."
  }
}

run "refuses_a_limit_below_none" {
  command = plan

  variables {
    broadcast_limits = { per_connection = -1 }
  }

  expect_failures = [var.broadcast_limits]
}

run "refuses_keys_over_plain_http" {
  command = plan

  variables {
    jwt_jwks_url = "http://issuer.example/jwks.json"
  }

  expect_failures = [var.jwt_jwks_url]
}

run "refuses_unsigned_tokens" {
  command = plan

  variables {
    jwt_algorithms = ["RS256", "none"]
  }

  expect_failures = [var.jwt_algorithms]
}

run "refuses_shared_secret_algorithms" {
  command = plan

  variables {
    jwt_algorithms = ["HS256"]
  }

  expect_failures = [var.jwt_algorithms]
}

run "refuses_a_tenant_with_a_comma" {
  command = plan

  variables {
    allowed_tenants = ["acme,globex"]
  }

  expect_failures = [var.allowed_tenants]
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
    log_level = "verbose"
  }

  expect_failures = [var.log_level]
}

run "refuses_a_retention_that_cloudwatch_would" {
  command = plan

  variables {
    log_retention_days = 10
  }

  expect_failures = [var.log_retention_days]
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
