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
  description = "Each function's short name, and its name in Lambda, which is the dimension FunctionName of its metrics, AWS's and its own. connect, message, broadcast, deliver and disconnect must be there: the dashboard asks what they write."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(setsubtract(["connect", "message", "broadcast", "deliver", "disconnect"], keys(var.functions))) == 0
    error_message = "functions lacks one of connect, message, broadcast, deliver and disconnect."
  }
}

variable "queues" {
  description = "The queues by their short names, which the alarms' names carry."
  type = map(object({
    name                = string # the queue
    dead_letter_name    = string # its dead-letter queue
    maximum_age_seconds = number # over which its oldest message is late
  }))
  nullable = false

  validation {
    condition     = alltrue([for queue in values(var.queues) : queue.maximum_age_seconds >= 1])
    error_message = "maximum_age_seconds of a queue is at least 1."
  }
}

variable "api" {
  description = "The WebSocket API."
  type = object({
    id    = string # the ApiId dimension of its metrics
    stage = string # name of the stage
  })
  nullable = false
}

variable "table_name" {
  description = "Name of the connections table."
  type        = string
  nullable    = false
}

variable "thresholds" {
  description = "When alarms ring, each over five minutes. Shares are percent of at least `minimum` events, so that one refused client at night rings nobody. The queues' ages are in `queues`."
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
  description = "SNS topics that hear when an alarm rings and when it is over. To one made here somebody must subscribe."
  type = object({
    create = optional(bool, true)       # make a topic
    arns   = optional(list(string), []) # topics that are there, at most 5 in all
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
