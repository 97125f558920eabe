# The path of a message, in the order of its stations: sockets, table, queues, functions (functions.tf), and who reads which
# queue. The API needs the functions and the functions need the API's address; that is no cycle, because Terraform orders
# resources, not modules: API -> functions -> integrations -> routes -> deployment -> stage.

module "websocket_api" {
  source = "./modules/websocket-api"

  name        = var.name
  description = "Fanfare: WebSocket broadcasts"
  stage       = var.stage
  routes      = local.routes

  # Only the functions that serve a route: the others are called by their queues, and API Gateway gets no right to them.
  functions = { for key in toset(values(local.routes)[*].function) : key => {
    function_name   = module.function[key].name
    invoke_arn      = module.function[key].invoke_arn
    timeout_seconds = local.timeouts[key]
  } }

  # Not above the account's quota, where they could not take effect. The burst quota is half the rate.
  throttling_rate  = coalesce(var.throttling_rate, local.account_rps)
  throttling_burst = coalesce(var.throttling_burst, floor(local.account_rps / 2))

  access_logs                 = var.access_logs
  log_retention_days          = var.log_retention_days
  manage_account_logging_role = var.manage_account_logging_role
  account_has_logging_role    = var.account_has_logging_role
}

module "connections_table" {
  source = "./modules/connections-table"

  name                = "${var.name}-connections"
  deletion_protection = var.deletion_protection
}

# A queue is called after the function that reads it.
module "queue" {
  source   = "./modules/queue"
  for_each = local.senders

  name                     = "${var.name}-${each.key}"
  consumer_timeout_seconds = local.timeouts[each.key]
  max_receive_count        = each.value.max_receive_count
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = local.senders

  event_source_arn = module.queue[each.key].arn
  function_name    = module.function[each.key].arn
  batch_size       = each.value.batch_size

  # Without it one failed message brings the whole batch back, and what was sent is sent again.
  function_response_types = ["ReportBatchItemFailures"]

  # The bound that POST_RATE counts on. Lambda holds messages back here, where reserved concurrency would throttle calls
  # and wear out the messages' receive counts.
  scaling_config {
    maximum_concurrency = each.value.maximum_concurrency
  }
}

module "observability" {
  source = "./modules/observability"

  name             = var.name
  functions        = { for key, function in module.function : key => function.name }
  api_id           = module.websocket_api.api_id
  stage            = var.stage
  table_name       = module.connections_table.name
  alarm_topic_arns = var.alarm_topic_arns

  # A broadcast should start at once. A unit may wait behind a large audience: a million clients at 8,000 a second are 125 s.
  queues = { for key, seconds in { broadcast = 60, deliver = 300 } : key => {
    name                = module.queue[key].name
    dead_letter_name    = module.queue[key].dead_letter_name
    maximum_age_seconds = seconds
  } }
}
