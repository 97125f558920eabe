output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "topic_arn" {
  description = "ARN of the SNS topic that was made for the alarms, to subscribe to; null where none was."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "alarm_arns" {
  description = "ARNs of all alarms, for a composite alarm or a deployment's guard."
  value       = sort(concat(values(aws_cloudwatch_metric_alarm.metric)[*].arn, values(aws_cloudwatch_metric_alarm.expression)[*].arn))
}

output "thresholds" {
  description = "The thresholds as they hold, defaults included."
  value       = var.thresholds
}

output "alarm_kinds" {
  description = "The kinds of alarms. Each is a section of the runbook, and a test holds the two together."
  value       = local.kinds
}
