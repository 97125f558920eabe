variable "name" {
  description = "Prefix of the alarms' names, and the dashboard's name before the region."
  type        = string
}

variable "functions" {
  description = "Short name to the Lambda function's name."
  type        = map(string)
  nullable    = false
}

variable "queues" {
  description = "Short name to the queue's name, its dead-letter queue's, and the age in seconds over which its oldest message is late."
  type = map(object({
    name                = string
    dead_letter_name    = string
    maximum_age_seconds = number
  }))
  nullable = false
}

variable "api_id" {
  description = "Id of the WebSocket API."
  type        = string
}

variable "stage" {
  description = "Name of the API's stage."
  type        = string
}

variable "table_name" {
  description = "Name of the connections table."
  type        = string
}

variable "alarm_topic_arns" {
  description = "SNS topics that hear when an alarm rings and when it is over. None: alarms only show in the console."
  type        = list(string)
  default     = []
  nullable    = false

  # CloudWatch takes five actions per state.
  validation {
    condition     = length(var.alarm_topic_arns) <= 5 && alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[^:]+:sns:", arn))])
    error_message = "alarm_topic_arns are at most 5 ARNs of SNS topics (arn:aws:sns:...)."
  }
}
