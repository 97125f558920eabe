variable "name" {
  description = "Name of the function; its log group, and its role (with the region behind it) are called after it."
  type        = string

  # A role's name has 64 characters at most; the longest region's name and a hyphen take 15.
  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,49}$", var.name))
    error_message = "A function's name has 1 to 49 characters of a-z, A-Z, 0-9, '_' and '-', so that its role's name fits into IAM's 64."
  }
}

variable "description" {
  description = "One line for the console."
  type        = string
  default     = ""
}

variable "filename" {
  description = "Path of the zip with the executable `bootstrap`."
  type        = string
}

variable "architecture" {
  description = "Processor the executable was built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "memory_size" {
  description = "Memory in MB; the share of a processor grows with it (1,769 MB are one)."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size is 128 to 10240 MB."
  }
}

variable "timeout" {
  description = "Seconds after which Lambda stops one call."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.timeout >= 1 && var.timeout <= 900
    error_message = "timeout is 1 to 900 seconds."
  }
}

variable "environment" {
  description = "Environment variables whose values are known when planning. At most 3.5 KB in all."
  type        = map(string)
  default     = {}
  nullable    = false

  # Lambda takes 4 KB for all names and values. What stands in environment_from_resources is unknown while planning, so the
  # last 512 bytes are kept for it: then a plan can refuse, not the middle of an apply. length() alone counts characters; four of
  # base64 without its padding are three bytes.
  validation {
    condition     = floor(length(replace(base64encode(join("", concat(keys(var.environment), values(var.environment)))), "=", "")) * 3 / 4) <= 3584
    error_message = "The function's environment variables are over 3.5 KB, and Lambda takes 4 KB with the addresses that are added. Shorten them: a JWKS URL instead of a long key, or fewer allowed tenants."
  }
}

variable "environment_from_resources" {
  description = "Environment variables that other resources give (URLs, names), unknown until those exist. At most 512 bytes in all."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = floor(length(replace(base64encode(join("", concat(keys(var.environment_from_resources), values(var.environment_from_resources)))), "=", "")) * 3 / 4) <= 512
    error_message = "The addresses in environment_from_resources are over 512 bytes, which is what Lambda's 4 KB leave for them."
  }
}

variable "statements" {
  description = "What the function may do besides writing its own logs: IAM statements that allow. Actions and resources are named, never \"*\"."
  type = list(object({
    sid       = string                         # name of the statement
    actions   = list(string)                   # without "*"
    resources = list(string)                   # ARNs
    condition = optional(map(map(string)), {}) # operator to key to value
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for s in var.statements : length(s.actions) > 0 && length(s.resources) > 0])
    error_message = "Each statement needs at least one action and one resource."
  }

  validation {
    condition     = alltrue(flatten([for s in var.statements : [for a in s.actions : !strcontains(a, "*")]]))
    error_message = "Name each action: an action with \"*\" in it also allows what AWS adds later."
  }

  validation {
    condition     = alltrue(flatten([for s in var.statements : [for r in s.resources : r != "*"]]))
    error_message = "Name the resources: \"*\" would reach other services' resources in this account."
  }
}

variable "log_retention_days" {
  description = "Days that the function's logs are kept; one of CloudWatch's steps."
  type        = number
  default     = 30
  nullable    = false

  # The set that CloudWatch Logs takes; 0, which it reads as for ever, is left out.
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's steps: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "tracing_mode" {
  description = "X-Ray: Active samples calls, PassThrough follows the caller's decision."
  type        = string
  default     = "PassThrough"
  nullable    = false

  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing_mode)
    error_message = "tracing_mode is Active or PassThrough."
  }
}

variable "concurrency" {
  description = "How many calls of the function run at once."
  type = object({
    reserved      = optional(number, -1) # calls set aside for it, and its limit; -1 is none, for new accounts may have too few to spare; 0 stops it
    event_sources = optional(number, 0)  # calls that its event sources may have under way, together
  })
  default  = {}
  nullable = false

  # Fewer would throttle the event source's own calls, and each throttle wears a message's receive count out. 0 is the way to
  # stop a function in an emergency and stays allowed.
  validation {
    condition     = contains([-1, 0], var.concurrency.reserved) || (var.concurrency.reserved >= 1 && var.concurrency.reserved >= var.concurrency.event_sources)
    error_message = "concurrency.reserved is -1 (none), 0 (stopped), or at least the ${var.concurrency.event_sources} calls that the function's event sources may have under way."
  }
}

variable "rollback_to" {
  description = "Number of the published version that serves; null is the newest. An older one is a roll-back, which no code has to be built for."
  type        = string
  default     = null

  validation {
    condition     = var.rollback_to == null || can(regex("^[1-9][0-9]*$", var.rollback_to))
    error_message = "rollback_to is the number of a published version, such as \"12\"; $LATEST is not one."
  }
}
