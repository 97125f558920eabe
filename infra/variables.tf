variable "name" {
  description = "Prefix of everything's name. Two deployments in one account need two."
  type        = string
  default     = "fanfare"
  nullable    = false

  # Roles carry prefix, function and region; 30 leaves room for all three in IAM's 64.
  validation {
    condition     = can(regex("^[a-zA-Z][a-zA-Z0-9-]{0,29}$", var.name))
    error_message = "name has 1 to 30 characters of a-z, A-Z, 0-9 and '-', and begins with a letter."
  }
}

variable "artifacts_dir" {
  description = "Folder with the functions' zips, <function>.zip, as `make build` leaves them. Relative to this module, or absolute."
  type        = string
  default     = "../.build/lambda"
  nullable    = false
}

variable "architecture" {
  description = "Processor that the zips were built for: arm64 or x86_64. The local cloud runs them on the host, so there it is the host's."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "api" {
  description = "The address that clients open."
  type = object({
    stage = optional(string, "live") # name of the stage, the last part of its own URL
    domain = optional(object({
      name            = string
      certificate_arn = string
    })) # a domain of one's own for clients, with its ACM certificate in this region
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,128}$", var.api.stage))
    error_message = "api.stage has 1 to 128 characters of a-z, A-Z, 0-9, '_' and '-'."
  }
}

variable "rollback_to" {
  description = "Functions that serve an older published version, by number: { connect = \"12\" }. Empty, all serve their newest. The output function_versions names what serves now."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.rollback_to) : contains(keys(local.timeouts), key)])
    error_message = "rollback_to names a function that there is not. They are ${join(", ", keys(local.timeouts))}."
  }

  validation {
    condition     = alltrue([for version in values(var.rollback_to) : can(regex("^[1-9][0-9]*$", version))])
    error_message = "rollback_to gives the numbers of published versions, such as { connect = \"12\" }; $LATEST is not one."
  }
}

# --- Who may connect ---

variable "tokens" {
  description = "How tokens are checked. One of public_key, public_key_file and jwks_url must be there; what is unset is the function's own default."
  type = object({
    public_key        = optional(string)           # text of the issuer's public key: PEM, JWK or JWKS
    public_key_file   = optional(string)           # a file with it instead, relative to this module or absolute
    jwks_url          = optional(string)           # the issuer's JWKS (https), alone or beside a key
    issuer            = optional(string)           # `iss`, or several parted by commas; unset, it is not checked
    audience          = optional(string)           # `aud`, or several parted by commas; unset, it is not checked
    algorithms        = optional(list(string))     # signature algorithms that are accepted; unset, RS256
    tenant_claim      = optional(string)           # claim that names the tenant; unset, tenant_id
    permissions_claim = optional(string)           # claim that lists the permissions; unset, permissions
    allowed_tenants   = optional(list(string), []) # tenants that may connect; empty is all that the issuer signs for
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.tokens.public_key != null || var.tokens.public_key_file != null || var.tokens.jwks_url != null
    error_message = "Tokens cannot be checked without a key: set tokens.public_key, tokens.public_key_file or tokens.jwks_url."
  }

  validation {
    condition     = var.tokens.public_key == null || var.tokens.public_key_file == null
    error_message = "Set tokens.public_key or tokens.public_key_file, not both."
  }

  validation {
    condition     = try(trimspace(var.tokens.public_key) != "", true)
    error_message = "tokens.public_key is empty. Leave it unset, or give PEM, JWK or JWKS text."
  }

  # Whoever can change the answer on its way can mint tokens; the functions refuse plain http as well.
  validation {
    condition     = var.tokens.jwks_url == null || can(regex("^(https://[^/]|http://(localhost|127\\.0\\.0\\.1)(:[0-9]+)?/)", var.tokens.jwks_url))
    error_message = "tokens.jwks_url is an https:// URL (http:// only for an issuer on localhost, in local runs)."
  }

  # HS* would take the public key for a shared secret (the algorithm confusion attack), `none` would take anything.
  validation {
    condition     = var.tokens.algorithms == null || try(length(var.tokens.algorithms) > 0 && alltrue([for a in var.tokens.algorithms : can(regex("^((RS|PS|ES)(256|384|512)|EdDSA)$", a))]), false)
    error_message = "tokens.algorithms are one or more of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA."
  }

  validation {
    condition     = alltrue([for tenant in var.tokens.allowed_tenants : tenant != "" && !strcontains(tenant, ",") && tenant == trimspace(tenant)])
    error_message = "A tenant in tokens.allowed_tenants is empty, has a comma, or has space around it: the function reads a list parted by commas."
  }
}

variable "connection_ttl" {
  description = "How long a connection's row lives at most, as a Go duration. A token that expires sooner ends it sooner."
  type        = string
  default     = "24h"
  nullable    = false

  # The bounds are those of the function, which would not start with others.
  validation {
    condition = try(alltrue([for seconds in [sum([
      for i, part in regex("^(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?$", var.connection_ttl) :
      part == null ? 0 : tonumber(part) * [3600, 60, 1][i]
    ])] : seconds >= 60 && seconds <= 720 * 3600]), false)
    error_message = "connection_ttl is a duration of 1m to 720h in whole hours, minutes and seconds, such as 24h, 90m or 1h30m."
  }
}

# --- How fast ---

variable "post_rate" {
  description = "Posts a second to sockets, over all senders. The deliver function gets nearly all of them."
  type        = number
  default     = 8000
  nullable    = false

  validation {
    condition     = var.post_rate <= local.account_rps
    error_message = "post_rate is ${var.post_rate}, but the account takes ${local.account_rps} requests a second in this region, clients' messages included. Set post_rate to ${floor(local.account_rps * 0.8)} or so, or account_rps to the quota that AWS raised it to."
  }

  validation {
    condition     = var.post_rate >= sum(values(local.senders)[*].maximum_concurrency)
    error_message = "post_rate leaves some sender without a single post a second: set it to at least ${sum(values(local.senders)[*].maximum_concurrency)}."
  }
}

variable "account_rps" {
  description = "The account's API Gateway quota in this region, requests a second. Null takes AWS's default for the region: 10,000, or 2,500 in thirteen newer ones."
  type        = number
  default     = null

  validation {
    condition     = try(var.account_rps >= 1, var.account_rps == null)
    error_message = "account_rps is at least 1, or null for the region's default."
  }
}

variable "limits" {
  description = "What clients may ask for and functions may use at most."
  type = object({
    broadcasts_per_connection = optional(number, 20)      # broadcasts a second of one connection; 0 is no limit
    broadcasts_per_tenant     = optional(number, 80)      # broadcasts a second of one tenant's clients; 0 is no limit
    throttling_rate           = optional(number)          # requests a second that the stage takes; unset, account_rps
    throttling_burst          = optional(number)          # requests at once on top of it; unset, half of account_rps
    reserved_concurrency      = optional(map(number), {}) # calls set aside for a function, and its limit; 0 stops it
  })
  default  = {}
  nullable = false

  # The bounds are those of the function, which would not start with others.
  validation {
    condition     = alltrue([for limit in [var.limits.broadcasts_per_connection, var.limits.broadcasts_per_tenant] : limit >= 0 && limit <= 10000 && limit == floor(limit)])
    error_message = "limits.broadcasts_per_connection and limits.broadcasts_per_tenant are whole numbers of broadcasts a second from 0 (no limit) to 10000."
  }

  validation {
    condition     = alltrue([for value in [var.limits.throttling_rate, var.limits.throttling_burst] : value == null ? true : value >= 1])
    error_message = "limits.throttling_rate and limits.throttling_burst are at least 1; 0 would make API Gateway answer 429 to everything."
  }

  validation {
    condition     = alltrue([for key in keys(var.limits.reserved_concurrency) : contains(keys(local.timeouts), key)])
    error_message = "limits.reserved_concurrency names a function that there is not. They are ${join(", ", keys(local.timeouts))}."
  }

  # The function module refuses the same. Here the sentence names the function.
  validation {
    condition = alltrue([for key, reserved in var.limits.reserved_concurrency :
      reserved == 0 || (reserved >= 1 && reserved >= try(local.senders[key].maximum_concurrency, 1))
    ])
    error_message = "limits.reserved_concurrency of a function that reads a queue is at least as many calls as its event source may start (${join(", ", [for key, sender in local.senders : "${key} ${sender.maximum_concurrency}"])}), or 0 to stop it."
  }
}

# --- Operation ---

variable "logs" {
  description = "What is recorded of the functions and of API Gateway, and for how long."
  type = object({
    level                       = optional(string, "info")        # what the functions log: debug, info, warn or error
    retention_days              = optional(number, 30)            # days that logs are kept
    access                      = optional(bool, false)           # API Gateway's access log: a JSON line per connect, message, disconnect
    execution_level             = optional(string, "OFF")         # API Gateway's execution log: OFF or ERROR
    manage_account_logging_role = optional(bool, false)           # make the role both need and set it for the WHOLE account and region
    account_has_logging_role    = optional(bool, false)           # says that the account's settings in this region have such a role
    tracing_mode                = optional(string, "PassThrough") # X-Ray: PassThrough or Active
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["debug", "info", "warn", "error"], var.logs.level)
    error_message = "logs.level is debug, info, warn or error."
  }

  # The set that CloudWatch Logs takes; 0, which it reads as for ever, is left out.
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.logs.retention_days)
    error_message = "logs.retention_days is one of CloudWatch's steps: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }

  validation {
    condition     = contains(["OFF", "ERROR"], var.logs.execution_level)
    error_message = "logs.execution_level is OFF or ERROR; INFO logs what clients send, tokens included."
  }

  validation {
    condition     = contains(["Active", "PassThrough"], var.logs.tracing_mode)
    error_message = "logs.tracing_mode is Active or PassThrough."
  }
}

variable "table" {
  description = "How the table is kept. A KMS key of one's own is given by its ARN; without it, it is the AWS-managed key."
  type = object({
    deletion_protection    = optional(bool, true) # a destroy fails on the table: apply with false first
    point_in_time_recovery = optional(bool, true) # restore to any second of the last 35 days
    kms_key_arn            = optional(string)     # its policy must let this account use it through DynamoDB
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.table.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/", var.table.kms_key_arn))
    error_message = "table.kms_key_arn is the full ARN of a KMS key (arn:aws:kms:<region>:<account>:key/...), not an alias or an id."
  }
}

variable "alarms" {
  description = "Who hears of alarms, and when they ring."
  type = object({
    create_topic = optional(bool, true)                 # make an SNS topic; somebody must subscribe to the output alarm_topic_arn
    topic_arns   = optional(list(string), [])           # topics that are there already
    thresholds   = optional(map(number), {})            # those of modules/observability by name; what is not named keeps its default
    late_seconds = optional(map(number), {})            # age over which a queue's oldest message is late, by queue; 60 for broadcast, 300 for deliver
    runbook      = optional(string, "infra/RUNBOOK.md") # where alarms say to look
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in keys(var.alarms.late_seconds) : contains(keys(local.senders), key)])
    error_message = "alarms.late_seconds names a queue that there is not. They are ${join(" and ", keys(local.senders))}."
  }
}

variable "tags" {
  description = "Tags for everything, beside Application and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false

  # What any service refuses would fail half-way through an apply. 50 tags are the most of a resource, two are ours.
  validation {
    condition = length(var.tags) <= 48 && alltrue([for key, value in var.tags :
      can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{1,128}$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]{0,256}$", value)) && !startswith(lower(key), "aws:")
    ])
    error_message = "tags are at most 48, with keys of 1 to 128 and values of up to 256 letters, digits, spaces and _.:/=+@-; keys that begin with aws: are AWS's own."
  }
}
