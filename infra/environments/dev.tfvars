# An AWS deployment to try things on, beside production in the same account and region if need be: names, metrics and alarms
# are its own.
name  = "fanfare-dev"
logs  = { level = "debug", retention_days = 7 }
table = { deletion_protection = false }

# A share that leaves production its own: both take from the account's one quota.
post_rate = 1000
limits    = { throttling_rate = 500, throttling_burst = 250 }

# Set these to your issuer's; without a key the plan is refused.
# tokens = {
#   jwks_url = "https://issuer.example/.well-known/jwks.json"
#   issuer   = "https://issuer.example/"
#   audience = "fanfare"
# }
