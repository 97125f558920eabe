data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # Every name in one place. Functions and queues carry the region-free name; what is global to the account (roles, the dashboard)
  # adds the region in its module. Tags are in one place too: the provider's default_tags (versions.tf).
  names = {
    api       = var.name
    table     = "${var.name}-connections"
    functions = { for key in keys(local.timeouts) : key => "${var.name}-${key}" }
    alias     = "live"                                                           # as the function module calls it
    queues    = { for key in keys(local.senders) : key => "${var.name}-${key}" } # called after the function that reads it
    alarms    = var.name
  }

  # By which API Gateway calls each function's alias (IntegrationUri in the API reference of CreateIntegration).
  gateway_path = "arn:${data.aws_partition.current.partition}:apigateway:${data.aws_region.current.name}:lambda:path/2015-03-31/functions"
  lambda_arn   = "arn:${data.aws_partition.current.partition}:lambda:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:function"
  invoke_arns  = { for key, name in local.names.functions : key => "${local.gateway_path}/${local.lambda_arn}:${name}:${local.names.alias}/invocations" }

  # The one route table. A Go test holds functions/ to the same file.
  routes = jsondecode(file("${path.module}/routes.json"))

  # Seconds a call may take. The first three serve clients, who wait at most API Gateway's 29 s; the queues' visibility
  # follows the last two. A unit is 500 posts, one second's work at the default rate: the rest is room for retries.
  timeouts = {
    connect    = 10
    message    = 10
    disconnect = 25
    broadcast  = 60
    deliver    = 30
  }

  # The two functions that post to sockets in bulk, and the queue that feeds each.
  senders = {
    broadcast = {
      maximum_concurrency = 4
      late_seconds        = 60 # a broadcast should start at once
      # A large audience fills a call; others of its batch would wait out the queue's visibility time-out unread.
      batch_size = 1
      # A call hands out some 800,000 connections in its 55 s; the message then comes again at once, which SQS counts as a
      # receive. Ten of them are 3.6 million even if every step takes twice as long; the rest is for failures.
      max_receive_count = 12
    }
    deliver = {
      maximum_concurrency = 6
      late_seconds        = 300 # a unit may wait behind a large audience: a million clients at 8,000 a second are 125 s
      # One unit already fills a call, and time-out and rate are counted for one.
      batch_size        = 1
      max_receive_count = 5
    }
  }

  # All posts of all senders together stay under post_rate, without the senders talking to one another. Large audiences
  # are the deliverers' alone, so nearly all of the rate is theirs. The broadcast function sends small broadcasts itself, at
  # an even share of the rate while it does, but over time no more than what is left: DIRECT_RATE. What is over it goes to
  # the deliverers too.
  direct_percent = 4
  post_rates = {
    broadcast = floor(var.post_rate / sum(values(local.senders)[*].maximum_concurrency))
    deliver   = floor(var.post_rate * (100 - local.direct_percent) / 100 / local.senders.deliver.maximum_concurrency)
  }
  direct_rate = var.post_rate * local.direct_percent / 100 / local.senders.broadcast.maximum_concurrency

  # Default account quota, requests a second, shared by all APIs and @connections of a region:
  # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html#apigateway-account-level-limits-table
  account_rps_low = 2500
  account_rps_low_regions = [
    "af-south-1",     # Cape Town
    "ap-south-2",     # Hyderabad
    "ap-southeast-3", # Jakarta
    "ap-southeast-4", # Melbourne
    "ap-southeast-5", # Malaysia
    "ap-southeast-7", # Thailand
    "ca-west-1",      # Calgary
    "eu-central-2",   # Zurich
    "eu-south-1",     # Milan
    "eu-south-2",     # Spain
    "il-central-1",   # Tel Aviv
    "me-central-1",   # UAE
    "mx-central-1",   # Central Mexico
  ]
  account_rps_by_region = contains(local.account_rps_low_regions, data.aws_region.current.name) ? local.account_rps_low : 10000
  account_rps           = coalesce(var.account_rps, local.account_rps_by_region)

  artifacts_dir = startswith(var.artifacts_dir, "/") ? var.artifacts_dir : "${path.root}/${var.artifacts_dir}"

  # The file is read only if it is there: without that, a destroy would fail once the key was cleaned away. The
  # precondition on the output websocket_url refuses every other plan without it.
  jwt_public_key_path = var.tokens.public_key_file == null ? null : (
    startswith(var.tokens.public_key_file, "/") ? var.tokens.public_key_file : "${path.root}/${var.tokens.public_key_file}"
  )
  jwt_public_key_missing = local.jwt_public_key_path == null ? false : !fileexists(local.jwt_public_key_path)
  jwt_public_key = (
    local.jwt_public_key_path == null ? var.tokens.public_key :
    local.jwt_public_key_missing ? null :
    trimspace(file(local.jwt_public_key_path))
  )
  # PEM says it in words; a JWK has "d" (private) or "k" (symmetric).
  jwt_key_is_secret = can(regex("PRIVATE KEY|\"[dk]\"\\s*:", local.jwt_public_key))
}
