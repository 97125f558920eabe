mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:111122223333:mocked" }
  }
}

variables {
  name                     = "fanfare-broadcast"
  consumer_timeout_seconds = 60
}

run "hides_a_message_for_six_time_outs" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds >= 6 * var.consumer_timeout_seconds
    error_message = "The visibility time-out is under six times the consumer's."
  }
}

run "follows_a_longer_time_out" {
  command = plan

  variables {
    consumer_timeout_seconds = 900
  }

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 5400
    error_message = "The visibility time-out does not follow the consumer's."
  }
}

run "sends_hopeless_messages_to_its_own_dead_letter_queue" {
  command = apply

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letters.arn
    error_message = "The redrive policy names another queue."
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy).maxReceiveCount == 5
    error_message = "A message is not received five times by default."
  }
  assert {
    condition     = aws_sqs_queue.dead_letters.name == "fanfare-broadcast-dead-letters"
    error_message = "The dead-letter queue is not called after its queue."
  }
  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds == 1209600
    error_message = "Dead letters are not kept for 14 days."
  }
}

run "lets_no_other_queue_send_to_the_dead_letters" {
  command = plan

  assert {
    condition = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy) == {
      redrivePermission = "byQueue"
      sourceQueueArns   = ["arn:aws:sqs:eu-west-1:111122223333:fanfare-broadcast"]
    }
    error_message = "The dead-letter queue takes from other queues than its own."
  }
}

run "encrypts_both" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled
    error_message = "A queue is not encrypted."
  }
}

run "refuses_so_few_receives_that_throttling_loses_messages" {
  command = plan

  variables {
    max_receive_count = 4
  }

  expect_failures = [var.max_receive_count]
}

run "refuses_a_time_out_that_lambda_would" {
  command = plan

  variables {
    consumer_timeout_seconds = 901
  }

  expect_failures = [var.consumer_timeout_seconds]
}

run "refuses_a_name_whose_dead_letter_queue_has_no_room" {
  command = plan

  variables {
    name = "q2345678901234567890123456789012345678901234567890123456789012345678"
  }

  expect_failures = [var.name]
}

run "the_example_applies" {
  module {
    source = "./examples/basic"
  }
}
