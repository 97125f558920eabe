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

variable "stage" {
  description = "Name of the API's stage, the last part of the WebSocket URL."
  type        = string
  default     = "live"
  nullable    = false
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

# --- Who may connect ---

variable "jwt_public_key" {
  description = "Text of the public key that tokens are checked with: PEM, JWK or JWKS. Instead of jwt_public_key_file."
  type        = string
  default     = null

  validation {
    condition     = var.jwt_public_key != null || var.jwt_public_key_file != null || var.jwt_jwks_url != null
    error_message = "Tokens cannot be checked without a key: set jwt_public_key, jwt_public_key_file or jwt_jwks_url."
  }

  validation {
    condition     = var.jwt_public_key == null || var.jwt_public_key_file == null
    error_message = "Set jwt_public_key or jwt_public_key_file, not both."
  }

  validation {
    condition     = try(trimspace(var.jwt_public_key) != "", true)
    error_message = "jwt_public_key is empty. Leave it unset, or give PEM, JWK or JWKS text."
  }
}

variable "jwt_public_key_file" {
  description = "File with the public key, instead of its text. Relative to this module, or absolute."
  type        = string
  default     = null
}

variable "jwt_jwks_url" {
  description = "URL of the issuer's JWKS, from which keys are fetched by their id. May stand alone or beside a public key."
  type        = string
  default     = null

  # Whoever can change the answer on its way can mint tokens; the functions refuse plain http as well.
  validation {
    condition     = var.jwt_jwks_url == null || can(regex("^(https://[^/]|http://(localhost|127\\.0\\.0\\.1)(:[0-9]+)?/)", var.jwt_jwks_url))
    error_message = "jwt_jwks_url is an https:// URL (http:// only for an issuer on localhost, in local runs)."
  }
}

variable "jwt_issuer" {
  description = "The `iss` that a token must have, or several parted by commas; unset, it is not checked."
  type        = string
  default     = null
}

variable "jwt_audience" {
  description = "The `aud` that a token must hold, or several parted by commas, of which one is enough; unset, it is not checked."
  type        = string
  default     = null
}

variable "jwt_algorithms" {
  description = "Signature algorithms that are accepted; unset, RS256."
  type        = list(string)
  default     = null

  # HS* would take the public key for a shared secret (the algorithm confusion attack), `none` would take anything.
  validation {
    condition     = var.jwt_algorithms == null || try(length(var.jwt_algorithms) > 0 && alltrue([for a in var.jwt_algorithms : can(regex("^((RS|PS|ES)(256|384|512)|EdDSA)$", a))]), false)
    error_message = "jwt_algorithms are one or more of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA."
  }
}

variable "jwt_tenant_claim" {
  description = "Claim that names the tenant; unset, tenant_id."
  type        = string
  default     = null
}

variable "jwt_permissions_claim" {
  description = "Claim that lists the permissions; unset, permissions."
  type        = string
  default     = null
}

variable "allowed_tenants" {
  description = "Tenants that may connect; empty means all that the issuer signs for."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for tenant in var.allowed_tenants : tenant != "" && !strcontains(tenant, ",") && tenant == trimspace(tenant)])
    error_message = "A tenant in allowed_tenants is empty, has a comma, or has space around it: the function reads a list parted by commas."
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

variable "broadcast_limits" {
  description = "Broadcasts a second that clients may send, of one connection and of one tenant; 0 is no limit. Back ends on the queue are not limited."
  type = object({
    per_connection = optional(number, 20)
    per_tenant     = optional(number, 80)
  })
  default  = {}
  nullable = false

  # The bounds are those of the function, which would not start with others.
  validation {
    condition     = alltrue([for limit in values(var.broadcast_limits) : limit >= 0 && limit <= 10000 && limit == floor(limit)])
    error_message = "broadcast_limits are whole numbers of broadcasts a second from 0 (no limit) to 10000."
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

variable "throttling_rate" {
  description = "Requests a second that the stage takes from clients, over all routes. Null takes account_rps."
  type        = number
  default     = null
}

variable "throttling_burst" {
  description = "Requests that clients may send at once on top of throttling_rate. Null takes half of account_rps."
  type        = number
  default     = null
}

# --- Operation ---

variable "log_level" {
  description = "What the functions log: debug, info, warn or error."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = contains(["debug", "info", "warn", "error"], var.log_level)
    error_message = "log_level is debug, info, warn or error."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 30
  nullable    = false

  # The set that CloudWatch Logs takes; 0, which it reads as for ever, is left out.
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's steps: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "access_logs" {
  description = "Whether API Gateway writes an access log, one JSON line per connect, message and disconnect."
  type        = bool
  default     = false
  nullable    = false
}

variable "manage_account_logging_role" {
  description = "Whether to make the role that access logs need, and set it for the WHOLE account and region."
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

variable "deletion_protection" {
  description = "Whether the table refuses to be deleted, and so a destroy fails on it. Apply with false first to destroy."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_topic_arns" {
  description = "SNS topics that hear of alarms. None: alarms only show in the console."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "tags" {
  description = "Tags for everything, beside Application and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false
}
