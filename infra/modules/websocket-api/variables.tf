variable "name" {
  description = "Name of the API."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,30}$", var.name))
    error_message = "The API's name has 1 to 30 characters of a-z, A-Z, 0-9, '_' and '-', so that the names made of it fit into IAM's 64."
  }
}

variable "description" {
  description = "One line for the console."
  type        = string
  default     = ""
}

variable "stage" {
  description = "Name of the stage, the last part of the WebSocket URL."
  type        = string
  default     = "live"
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,128}$", var.stage))
    error_message = "A stage's name has 1 to 128 characters of a-z, A-Z, 0-9, '_' and '-'."
  }
}

variable "functions" {
  description = "The functions that serve routes: a name for each, by which `routes` calls it, and where it is. Give text that is known before the functions exist (see functions_exist)."
  type = map(object({
    function_name   = string           # its name in Lambda
    alias           = optional(string) # the one that invoke_arn leads to; without it, the newest code
    invoke_arn      = string           # by which API Gateway calls it
    timeout_seconds = number           # its own; API Gateway waits as long, but at most 29 s
  }))
  nullable = false
}

# The deployment is create_before_destroy, and Terraform makes everything so that such a resource needs. If integrations needed the
# functions themselves, a function that an apply left unfinished, or its table or queue, would be made anew before the old one is deleted,
# which their names forbid: no apply would ever mend it.
variable "functions_exist" {
  description = "Anything that is known once the functions exist, such as their ARNs: only then is the API allowed to call them. Apart from `functions`, so that the deployment does not depend on them."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "routes" {
  description = "The routes by their keys."
  type = map(object({
    function = string                # its name in `functions`
    response = optional(bool, false) # send what it returns back as a frame
  }))
  nullable = false

  validation {
    condition     = alltrue([for route in values(var.routes) : contains(keys(var.functions), route.function)])
    error_message = "A route names a function that is not in `functions`."
  }

  validation {
    condition = alltrue([
      for key in ["$connect", "$disconnect"] : !try(var.routes[key].response, false)
    ])
    error_message = "$connect and $disconnect have no route response: the first answers by the upgrade's status, the second to nobody."
  }
}

variable "throttling_rate" {
  description = "Requests a second that the stage takes, over all routes."
  type        = number
  nullable    = false

  validation {
    condition     = var.throttling_rate >= 1
    error_message = "throttling_rate is at least 1; 0 would make API Gateway answer 429 to everything."
  }
}

variable "throttling_burst" {
  description = "Requests that may come at once on top of the rate."
  type        = number
  nullable    = false

  validation {
    condition     = var.throttling_burst >= 1
    error_message = "throttling_burst is at least 1; 0 would make API Gateway answer 429 to everything."
  }
}

variable "logging_level" {
  description = "API Gateway's execution log: OFF or ERROR. INFO is not offered, because it logs what clients send."
  type        = string
  default     = "OFF"
  nullable    = false

  validation {
    condition     = contains(["OFF", "ERROR"], var.logging_level)
    error_message = "logging_level is OFF or ERROR; INFO logs what clients send, tokens included."
  }
}

variable "access_logs" {
  description = "Whether API Gateway writes one JSON line per connect, message and disconnect."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the access log and the execution log are kept; one of CloudWatch's steps."
  type        = number
  default     = 30
  nullable    = false

  # The set that CloudWatch Logs takes; 0, which it reads as for ever, is left out.
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's steps: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "manage_account_logging_role" {
  description = "Whether to make the role by which API Gateway writes logs, and set it for the WHOLE account and region."
  type        = bool
  default     = false
  nullable    = false
}

variable "account_has_logging_role" {
  description = "Says that the account's API Gateway settings in this region already have a CloudWatch role."
  type        = bool
  default     = false
  nullable    = false
}

variable "domain" {
  description = "A domain name of one's own for clients; null is API Gateway's own address. Its DNS record is the caller's to make, from the output `domain_target`."
  type = object({
    name            = string # such as ws.example.com
    certificate_arn = string # of its ACM certificate, in the API's region
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", var.domain.name))
    error_message = "domain.name is a host name in lower case, such as ws.example.com, without scheme, path or wildcard."
  }

  validation {
    condition     = var.domain == null || can(regex("^arn:[^:]+:acm:[^:]+:[0-9]{12}:certificate/.+$", var.domain.certificate_arn))
    error_message = "domain.certificate_arn is the ARN of an ACM certificate (arn:aws:acm:<region>:<account>:certificate/...)."
  }
}
