output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "alarm_arns" {
  description = "ARNs of all alarms, for a composite alarm or a deployment's guard."
  value = sort([for alarm in concat(
    values(aws_cloudwatch_metric_alarm.dead_letters),
    values(aws_cloudwatch_metric_alarm.queue_age),
    values(aws_cloudwatch_metric_alarm.errors),
    values(aws_cloudwatch_metric_alarm.throttles),
  ) : alarm.arn])
}
