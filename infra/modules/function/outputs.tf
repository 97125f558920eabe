output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "alias" {
  description = "Name of the alias, the qualifier of permissions."
  value       = aws_lambda_alias.live.name
}

output "alias_arn" {
  description = "ARN of the alias, for event sources."
  value       = aws_lambda_alias.live.arn
}

output "invoke_arn" {
  description = "ARN by which API Gateway calls the alias."
  value       = aws_lambda_alias.live.invoke_arn
}

output "version" {
  description = "Number of the version that serves."
  value       = aws_lambda_alias.live.function_version
}

output "timeout" {
  description = "The function's time-out in seconds."
  value       = aws_lambda_function.this.timeout
}

output "reserved_concurrency" {
  description = "Concurrent calls set aside for the function; -1 is none."
  value       = aws_lambda_function.this.reserved_concurrent_executions
}

output "role_name" {
  description = "Name of the function's role."
  value       = aws_iam_role.this.name
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "policy_json" {
  description = "The role's policy as deployed, for reviews and tests."
  value       = aws_iam_role_policy.this.policy
}

output "environment" {
  description = "The environment variables as deployed."
  value       = aws_lambda_function.this.environment[0].variables
}
