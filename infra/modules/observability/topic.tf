data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  notify = sort(concat(aws_sns_topic.alarms[*].arn, var.topic.arns))
}

# Not encrypted: CloudWatch cannot publish to a topic under the AWS-managed key alias/aws/sns, and an alarm names functions and
# figures, nothing of a client. Who needs a key of his own gives a topic of his own in `topic.arns`.
resource "aws_sns_topic" "alarms" {
  count = var.topic.create ? 1 : 0

  name = "${var.name}-alarms"
}

# Only alarms of this account and region publish here. Subscribing is the account's own people's, by their identity policies.
resource "aws_sns_topic_policy" "alarms" {
  count = var.topic.create ? 1 : 0

  arn = aws_sns_topic.alarms[0].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms[0].arn
      Condition = { ArnLike = {
        "aws:SourceArn" = "arn:${data.aws_partition.current.partition}:cloudwatch:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:alarm:${var.name}-*"
      } }
    }]
  })
}
