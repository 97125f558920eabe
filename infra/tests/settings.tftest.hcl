# What the typed objects say reaches the resource that it is about.
mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  artifacts_dir = "tests/fixtures"
  tokens        = { public_key_file = "tests/fixtures/public.pem" }
}

run "shows_who_may_connect" {
  variables {
    tokens = {
      public_key_file = "tests/fixtures/public.pem"
      issuer          = "https://issuer.example/"
      allowed_tenants = ["acme", "globex"]
    }
  }

  assert {
    condition     = output.who_may_connect == { issuer = "https://issuer.example/", audience = "any", algorithms = "RS256", tenants = "acme,globex" }
    error_message = "The output says something else than was asked for: ${jsonencode(output.who_may_connect)}."
  }
}

run "lets_functions_to_a_key_of_ones_own_through_dynamodb_only" {
  variables {
    table = { kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/abc" }
  }

  assert {
    condition = alltrue([for f in module.function : [for s in jsondecode(f.policy_json).Statement : s if s.Sid == "UseTableKey"] == [{
      Sid       = "UseTableKey", Effect = "Allow"
      Action    = ["kms:Decrypt", "kms:DescribeKey"]
      Resource  = ["arn:aws:kms:eu-west-1:111122223333:key/abc"]
      Condition = { StringEquals = { "kms:ViaService" = "dynamodb.eu-west-1.amazonaws.com" } }
    }]])
    error_message = "A function could not read the table, or could use its key elsewhere."
  }
}

run "asks_for_no_key_where_aws_manages_it" {
  assert {
    condition     = alltrue([for f in module.function : !strcontains(f.policy_json, "kms:")])
    error_message = "A function may use a key without need."
  }
}

run "gives_clients_the_domain" {
  variables {
    api = { domain = { name = "ws.example.com", certificate_arn = "arn:aws:acm:eu-west-1:111122223333:certificate/abc" } }
  }

  assert {
    condition     = output.websocket_url == "wss://ws.example.com" && output.management_endpoint == "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/live"
    error_message = "Clients do not get the domain, or functions do."
  }
}

run "makes_a_topic_unless_told_not_to" {
  assert {
    condition     = output.alarm_topic_arn == "arn:aws:sns:eu-west-1:111122223333:fanfare-alarms"
    error_message = "Nobody could subscribe to alarms."
  }
}

run "makes_no_topic_beside_ones_own" {
  variables {
    alarms = { create_topic = false, topic_arns = ["arn:aws:sns:eu-west-1:111122223333:on-call"] }
  }

  assert {
    condition     = output.alarm_topic_arn == null
    error_message = "A topic was made."
  }
}

run "rings_by_the_thresholds_given_and_the_defaults" {
  variables {
    alarms = { thresholds = { stale_percent = 10 } }
  }

  assert {
    condition     = module.observability.thresholds.stale_percent == 10 && module.observability.thresholds.failed_percent == 1
    error_message = "A threshold is lost on its way."
  }
}
