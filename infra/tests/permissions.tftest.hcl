# What each function may do, word for word. A change of a permission must be a change here too.
mock_provider "aws" {
  source = "./tests/mocks"
}

# Two queues with their own ARNs, so that a right on the wrong one shows.
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

run "each_function_may_do_what_its_station_needs" {
  assert {
    # Through JSON, because a list and a tuple of the same strings are never equal.
    condition = jsonencode({ for key, f in module.function : key => { for s in jsondecode(f.policy_json).Statement : s.Sid => sort(s.Action) if s.Sid != "WriteOwnLogs" } }) == jsonencode({
      connect = {
        UseTable = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem"]
      }
      message = {
        UseTable        = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        QueueBroadcasts = ["sqs:SendMessage"]
        PostAndClose    = ["execute-api:ManageConnections"]
      }
      broadcast = {
        UseTable        = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
        ReceiveOwnQueue = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        QueueUnits      = ["sqs:SendMessage"]
        PostAndClose    = ["execute-api:ManageConnections"]
      }
      deliver = {
        UseTable        = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"]
        ReceiveOwnQueue = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Post            = ["execute-api:ManageConnections"]
      }
      disconnect = {
        UseTable = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem"]
      }
    })
    error_message = "A function may do more or less than written here."
  }
}

run "each_queue_is_reached_by_its_own_functions_only" {
  assert {
    condition = { for key, f in module.function : key => { for s in jsondecode(f.policy_json).Statement : s.Sid => s.Resource if strcontains(s.Sid, "Queue") } } == {
      connect    = {}
      message    = { QueueBroadcasts = ["arn:aws:sqs:eu-west-1:111122223333:fanfare-broadcast"] }
      broadcast  = { QueueUnits = ["arn:aws:sqs:eu-west-1:111122223333:fanfare-deliver"], ReceiveOwnQueue = ["arn:aws:sqs:eu-west-1:111122223333:fanfare-broadcast"] }
      deliver    = { ReceiveOwnQueue = ["arn:aws:sqs:eu-west-1:111122223333:fanfare-deliver"] }
      disconnect = {}
    }
    error_message = "A function reaches a queue that is not its own to use."
  }
}

run "sockets_of_this_stage_only_and_only_by_post_and_delete" {
  assert {
    condition = alltrue([for key, methods in { message = ["POST", "DELETE"], broadcast = ["POST", "DELETE"], deliver = ["POST"] } :
      [for s in jsondecode(module.function[key].policy_json).Statement : jsonencode(s.Resource) if s.Action == ["execute-api:ManageConnections"]] == [
        jsonencode([for method in methods : "arn:aws:execute-api:eu-west-1:111122223333:a1b2c3d4e5/live/${method}/@connections/*"])
    ]])
    error_message = "A function reaches sockets beyond its own stage."
  }
}

run "no_policy_holds_a_star_for_all" {
  assert {
    condition = alltrue(flatten([for f in module.function : [for s in jsondecode(f.policy_json).Statement :
      !contains(s.Resource, "*") && alltrue([for a in s.Action : !strcontains(a, "*")])
    ]]))
    error_message = "A policy allows everything of something."
  }
}

run "publishers_may_send_broadcasts_and_nothing_else" {
  assert {
    condition = jsondecode(output.publisher_policy_json).Statement == [{
      Sid = "PublishBroadcasts", Effect = "Allow", Action = "sqs:SendMessage", Resource = "arn:aws:sqs:eu-west-1:111122223333:fanfare-broadcast"
    }]
    error_message = "The policy for publishers is another: ${output.publisher_policy_json}"
  }
}
