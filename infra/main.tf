# The path of a message, in the order of its stations: sockets, table, queues, functions (functions.tf), and who reads which
# queue. The API needs the functions and the functions need the API's address; that is no cycle, because Terraform orders
# resources, not modules: API -> functions -> integrations -> routes -> deployment -> stage.

module "websocket_api" {
  source = "./modules/websocket-api"

  name        = local.names.api
  description = "Fanfare: WebSocket broadcasts"
  stage       = var.api.stage
  domain      = var.api.domain
  routes      = local.routes

  # Only the functions that serve a route: the others are called by their queues, and API Gateway gets no right to them.
  # By their names and not by their resources: nothing that the deployment needs may need a function (functions_exist there).
  functions = { for key in toset(values(local.routes)[*].function) : key => {
    function_name   = local.names.functions[key]
    alias           = local.names.alias
    invoke_arn      = local.invoke_arns[key]
    timeout_seconds = local.timeouts[key]
  } }
  functions_exist = [for key in sort(distinct(values(local.routes)[*].function)) : module.function[key].alias_arn]

  # Not above the account's quota, where they could not take effect. The burst quota is half the rate.
  throttling_rate  = coalesce(var.limits.throttling_rate, local.account_rps)
  throttling_burst = coalesce(var.limits.throttling_burst, floor(local.account_rps / 2))

  access_logs                 = var.logs.access
  logging_level               = var.logs.execution_level
  log_retention_days          = var.logs.retention_days
  manage_account_logging_role = var.logs.manage_account_logging_role
  account_has_logging_role    = var.logs.account_has_logging_role
}

module "connections_table" {
  source = "./modules/connections-table"

  name                   = local.names.table
  deletion_protection    = var.table.deletion_protection
  point_in_time_recovery = var.table.point_in_time_recovery
  kms_key_arn            = var.table.kms_key_arn
}

module "queue" {
  source   = "./modules/queue"
  for_each = local.senders

  name                     = local.names.queues[each.key]
  consumer_timeout_seconds = local.timeouts[each.key]
  max_receive_count        = each.value.max_receive_count
}

resource "aws_lambda_event_source_mapping" "this" {
  for_each = local.senders

  event_source_arn = module.queue[each.key].arn
  function_name    = module.function[each.key].alias_arn
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

  name       = local.names.alarms
  functions  = { for key, function in module.function : key => function.name }
  api        = { id = module.websocket_api.api_id, stage = var.api.stage }
  table_name = module.connections_table.name

  queues = { for key, sender in local.senders : key => {
    name                = module.queue[key].name
    dead_letter_name    = module.queue[key].dead_letter_name
    maximum_age_seconds = lookup(var.alarms.late_seconds, key, sender.late_seconds)
  } }

  thresholds = var.alarms.thresholds
  topic      = { create = var.alarms.create_topic, arns = var.alarms.topic_arns }
  runbook    = var.alarms.runbook
}
