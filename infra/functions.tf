# What each function knows and may do. Nothing is shared that one of them does not need: a hole in connect, which the open
# internet reaches, must not read a queue or write to a socket.
locals {
  # Read by the two functions that check tokens. Unset ones are left out, so that the function's own default holds.
  token_environment = { for name, value in {
    JWT_PUBLIC_KEY        = local.jwt_public_key
    JWT_JWKS_URL          = var.tokens.jwks_url
    JWT_ISSUER            = var.tokens.issuer
    JWT_AUDIENCE          = var.tokens.audience
    JWT_ALGORITHMS        = var.tokens.algorithms == null ? null : join(",", var.tokens.algorithms)
    JWT_TENANT_CLAIM      = var.tokens.tenant_claim
    JWT_PERMISSIONS_CLAIM = var.tokens.permissions_claim
    ALLOWED_TENANTS       = join(",", var.tokens.allowed_tenants)
    CONNECTION_TTL        = var.connection_ttl
  } : name => value if value != null }

  limit_environment = {
    CONNECTION_BROADCAST_LIMIT = tostring(var.limits.broadcasts_per_connection)
    TENANT_BROADCAST_LIMIT     = tostring(var.limits.broadcasts_per_tenant)
  }
  log_environment = { LOG_LEVEL = var.logs.level }

  # A close needs no right of its own: DELETE on @connections is the same action. The `*` stands for the connections' ids, which
  # API Gateway makes up.
  post_and_close = {
    sid       = "PostAndClose"
    actions   = ["execute-api:ManageConnections"]
    resources = [for method in ["POST", "DELETE"] : "${module.websocket_api.execution_arn}/${var.api.stage}/${method}/@connections/*"]
  }

  # A unit's delivery closes no socket.
  post = {
    sid       = "Post"
    actions   = ["execute-api:ManageConnections"]
    resources = ["${module.websocket_api.execution_arn}/${var.api.stage}/POST/@connections/*"]
  }

  # ChangeMessageVisibility gives a failed message back early; the other three are what an event source needs.
  receive = { for key, queue in module.queue : key => {
    sid = "ReceiveOwnQueue"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:GetQueueAttributes",
    ]
    resources = [queue.arn]
  } }

  # DynamoDB authorises a transaction as the actions inside it: there is no right to "transact", and subscribing is an update
  # and a put. Nobody may Scan.
  table_actions = {
    connect    = ["PutItem", "DeleteItem", "BatchWriteItem"]
    message    = ["GetItem", "PutItem", "UpdateItem", "DeleteItem"]
    broadcast  = ["Query", "GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"]
    deliver    = ["GetItem", "PutItem", "DeleteItem", "BatchWriteItem"]
    disconnect = ["DeleteItem", "BatchWriteItem"]
  }
  # DynamoDB opens the table's key as whoever reads or writes, so with a key of one's own each function must be let to it, through
  # DynamoDB only. The AWS-managed key asks for nothing:
  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
  use_table_key = var.table.kms_key_arn == null ? [] : [{
    sid       = "UseTableKey"
    actions   = ["kms:Decrypt", "kms:DescribeKey"]
    resources = [var.table.kms_key_arn]
    condition = { StringEquals = { "kms:ViaService" = "dynamodb.${data.aws_region.current.name}.amazonaws.com" } }
  }]

  use_table = { for key, actions in local.table_actions : key => {
    sid       = "UseTable"
    actions   = [for action in actions : "dynamodb:${action}"]
    resources = [module.connections_table.arn]
  } }

  # Memory buys processor: posting to hundreds of sockets over TLS and fanning out wants more than answering one client.
  functions = {
    connect = {
      description = "Checks a client's token and records the connection"
      memory_size = 256
      environment = merge(local.log_environment, local.token_environment)
      addresses   = { TABLE_NAME = module.connections_table.name }
      statements  = [local.use_table.connect]
    }

    message = {
      description = "Answers clients' frames and queues their broadcasts"
      memory_size = 256
      environment = merge(local.log_environment, local.token_environment, local.limit_environment)
      addresses = {
        TABLE_NAME          = module.connections_table.name
        WEBSOCKET_ENDPOINT  = module.websocket_api.management_endpoint
        BROADCAST_QUEUE_URL = module.queue["broadcast"].url
      }
      statements = [
        local.use_table.message,
        { sid = "QueueBroadcasts", actions = ["sqs:SendMessage"], resources = [module.queue["broadcast"].arn] },
        local.post_and_close,
      ]
    }

    broadcast = {
      description = "Pages a broadcast's audience; sends small ones, splits large ones into units"
      memory_size = 1024
      environment = merge(local.log_environment, { POST_RATE = tostring(local.post_rates.broadcast), DIRECT_RATE = tostring(local.direct_rate) })
      addresses = {
        TABLE_NAME          = module.connections_table.name
        WEBSOCKET_ENDPOINT  = module.websocket_api.management_endpoint
        BROADCAST_QUEUE_URL = module.queue["broadcast"].url
        DELIVERY_QUEUE_URL  = module.queue["deliver"].url
      }
      statements = [
        local.use_table.broadcast,
        local.receive["broadcast"],
        { sid = "QueueUnits", actions = ["sqs:SendMessage"], resources = [module.queue["deliver"].arn] },
        local.post_and_close,
      ]
    }

    deliver = {
      description = "Posts one unit of a broadcast to its sockets"
      memory_size = 1024
      environment = merge(local.log_environment, { POST_RATE = tostring(local.post_rates.deliver) })
      addresses = {
        TABLE_NAME         = module.connections_table.name
        WEBSOCKET_ENDPOINT = module.websocket_api.management_endpoint
        DELIVERY_QUEUE_URL = module.queue["deliver"].url
      }
      statements = [
        local.use_table.deliver,
        local.receive["deliver"],
        local.post,
      ]
    }

    disconnect = {
      description = "Removes a closed connection and its memberships"
      memory_size = 256
      environment = local.log_environment
      addresses   = { TABLE_NAME = module.connections_table.name }
      statements  = [local.use_table.disconnect]
    }
  }
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name         = local.names.functions[each.key]
  description  = each.value.description
  filename     = "${local.artifacts_dir}/${each.key}.zip"
  architecture = var.architecture
  memory_size  = each.value.memory_size
  timeout      = local.timeouts[each.key]

  environment                = each.value.environment
  environment_from_resources = each.value.addresses
  statements                 = concat(each.value.statements, local.use_table_key)

  concurrency = {
    reserved      = lookup(var.limits.reserved_concurrency, each.key, -1)
    event_sources = try(local.senders[each.key].maximum_concurrency, 0)
  }
  rollback_to = lookup(var.rollback_to, each.key, null)

  log_retention_days = var.logs.retention_days
  tracing_mode       = var.logs.tracing_mode
}
