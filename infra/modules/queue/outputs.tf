output "arn" {
  description = "ARN of the queue, for policies and event sources."
  value       = aws_sqs_queue.this.arn
}

output "url" {
  description = "URL of the queue, for SendMessage."
  value       = aws_sqs_queue.this.url
}

output "name" {
  description = "Name of the queue, the QueueName dimension of its metrics."
  value       = aws_sqs_queue.this.name
}

output "dead_letter_arn" {
  description = "ARN of the dead-letter queue."
  value       = aws_sqs_queue.dead_letters.arn
}

output "dead_letter_name" {
  description = "Name of the dead-letter queue, the QueueName dimension of its metrics."
  value       = aws_sqs_queue.dead_letters.name
}

output "visibility_timeout_seconds" {
  description = "Seconds that a received message stays hidden from other receivers."
  value       = aws_sqs_queue.this.visibility_timeout_seconds
}

output "max_receive_count" {
  description = "Receives after which a message becomes a dead letter."
  value       = var.max_receive_count
}
