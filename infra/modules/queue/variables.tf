variable "name" {
  description = "Name of the queue; the dead-letter queue is called the same with `-dead-letters` behind it."
  type        = string

  # 80 is SQS's limit, and the dead-letter queue's suffix takes 13 of it.
  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,67}$", var.name))
    error_message = "A queue's name has 1 to 67 characters of a-z, A-Z, 0-9, '_' and '-', so that its dead-letter queue's name fits too."
  }
}

variable "consumer_timeout_seconds" {
  description = "Time-out of the function that reads the queue, in seconds. Messages stay invisible six times as long."
  type        = number
  nullable    = false

  validation {
    condition     = var.consumer_timeout_seconds >= 1 && var.consumer_timeout_seconds <= 900
    error_message = "consumer_timeout_seconds is a Lambda time-out: 1 to 900."
  }
}

variable "max_receive_count" {
  description = "How often a message is received before SQS moves it to the dead-letter queue."
  type        = number
  default     = 5
  nullable    = false

  # Below 5 a mere throttle of the function can send healthy messages to the dead-letter queue, says AWS's Lambda guide.
  validation {
    condition     = var.max_receive_count >= 5 && var.max_receive_count <= 1000
    error_message = "max_receive_count is 5 to 1000; with fewer than 5, throttling alone would send healthy messages to the dead letters."
  }
}
