# An AWS deployment to try things on, beside production in the same account if need be.
name                = "fanfare-dev"
log_level           = "debug"
log_retention_days  = 7
deletion_protection = false

# A share that leaves production its own: both take from the account's one quota.
post_rate        = 1000
throttling_rate  = 500
throttling_burst = 250

# Set these to your issuer's; without a key the plan is refused.
# jwt_jwks_url = "https://issuer.example/.well-known/jwks.json"
# jwt_issuer   = "https://issuer.example/"
# jwt_audience = "fanfare"
