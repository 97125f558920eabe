variable "name" {
  description = "Prefix of the alarms' names, and the dashboard's name before the region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,200}$", var.name))
    error_message = "name has 1 to 200 characters of a-z, A-Z, 0-9, '_' and '-'; dashboards take no others."
  }
}

variable "functions" {
  description = "Each function's short name, which is the dimension Function of its own metrics, and its name in Lambda. connect, message, broadcast, deliver and disconnect must be there: the dashboard asks what they write."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(["connect", "message", "broadcast", "deliver", "disconnect"], keys(var.functions))) == 0
    error_message = "functions lacks one of connect, message, broadcast, deliver and disconnect."
  }
}

variable "queues" {
  description = "Short name to the queue's name, its dead-letter queue's, and the age in seconds over which its oldest message is late."
  type = map(object({
    name                = string
    dead_letter_name    = string
    maximum_age_seconds = number
  }))
  nullable = false

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.maximum_age_seconds >= 1])
    error_message = "maximum_age_seconds of a queue is at least 1."
  }
}

variable "api" {
  description = "Id of the WebSocket API and name of its stage."
  type = object({
    id    = string
    stage = string
  })
  nullable = false
}

variable "table_name" {
  description = "Name of the connections table."
  type        = string
  nullable    = false
}

variable "thresholds" {
  description = "When alarms ring, each over five minutes. Shares are percent of at least `minimum` events, so that one refused client at night rings nobody. README's alarms explain each; they are not for the queues' ages, which `queues` has."
  type = object({
    minimum            = optional(number, 20)   # events in five minutes, below which no share is looked at
    refused_percent    = optional(number, 50)   # clients refused, of all that came
    failed_connects    = optional(number, 0)    # clients refused by a fault of ours
    key_fetch_failures = optional(number, 2)    # times that the issuer's keys were not to be had
    failed_percent     = optional(number, 1)    # sends failed or left out, of all sends
    stale_percent      = optional(number, 25)   # sends to clients that were gone, of those that were not failed
    post_p99_ms        = optional(number, 1000) # 99th percentile of one post to a socket, in two periods of three
    open_breakers      = optional(number, 50)   # connections that one environment has given up for a while
    cleanup_errors     = optional(number, 10)   # rows of gone connections that could not be deleted
    function_errors    = optional(number, 0)    # calls of one function that failed, timed out or crashed
    function_throttles = optional(number, 0)    # calls of one function that Lambda refused
    api_server_errors  = optional(number, 5)    # requests that API Gateway or its call of a function failed
    table_throttles    = optional(number, 0)    # reads and writes that DynamoDB refused
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for value in values(var.thresholds) : value >= 0])
    error_message = "A threshold is a number of 0 or more."
  }

  validation {
    condition     = alltrue([for key, value in var.thresholds : value < 100 if endswith(key, "_percent")])
    error_message = "A share rings above its threshold, so a threshold of 100 percent or more would never ring."
  }
}

variable "topic" {
  description = "Who hears when an alarm rings and when it is over: a topic made here (`create`), to which somebody must subscribe, and SNS topics that are there already (`arns`)."
  type = object({
    create = optional(bool, true)
    arns   = optional(list(string), [])
  })
  default  = {}
  nullable = false

  # CloudWatch takes five actions per state, and the topic made here is one.
  validation {
    condition     = length(var.topic.arns) <= (var.topic.create ? 4 : 5) && alltrue([for arn in var.topic.arns : can(regex("^arn:[^:]+:sns:", arn))])
    error_message = "topic.arns are at most 5 ARNs of SNS topics (arn:aws:sns:...), 4 beside a topic made here: CloudWatch takes five."
  }
}

variable "runbook" {
  description = "Address of the runbook; each alarm's description ends with it and the section's anchor."
  type        = string
  default     = "infra/RUNBOOK.md"
  nullable    = false
}
