# Production. Everything not named here is the variable's default.
log_level           = "info"
log_retention_days  = 90
deletion_protection = true

# Set these to your issuer's; without a key the plan is refused.
# jwt_jwks_url    = "https://issuer.example/.well-known/jwks.json"
# jwt_issuer      = "https://issuer.example/"
# jwt_audience    = "fanfare"
# allowed_tenants = ["acme", "globex"]

# Somebody should hear of dead letters.
# alarm_topic_arns = ["arn:aws:sns:eu-west-1:111122223333:on-call"]
