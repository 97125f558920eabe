data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # The dead-letter queue must name the queue that may send to it, and the queue must name its dead-letter queue. One ARN has
  # to be built from its name, or the two are a cycle. SQS demands that a RedrivePolicy's target exists; it asks no such
  # thing of a RedriveAllowPolicy's sources. So the built ARN is this one, and a third resource, which would add 25 s to
  # every apply and destroy (the provider waits for each attribute change), is not needed.
  arn = "arn:${data.aws_partition.current.partition}:sqs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:${var.name}"
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  message_retention_seconds = 14 * 24 * 60 * 60 # SQS's maximum: the time in which somebody must look
  sqs_managed_sse_enabled   = true

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.arn]
  })
}

resource "aws_sqs_queue" "this" {
  name                    = var.name
  sqs_managed_sse_enabled = true

  # Six times the consumer's time-out is AWS's advice for a Lambda consumer: room for a whole batch and the poller's own
  # retries when the function is throttled. Less than the time-out itself is refused when the event source is made.
  visibility_timeout_seconds = 6 * var.consumer_timeout_seconds

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receive_count
  })
}
