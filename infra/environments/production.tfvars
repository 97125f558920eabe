# Production. Everything not named here is the variable's default.
logs  = { level = "info", retention_days = 90 }
table = { deletion_protection = true }

# Set these to your issuer's; without a key the plan is refused.
# tokens = {
#   jwks_url        = "https://issuer.example/.well-known/jwks.json"
#   issuer          = "https://issuer.example/"
#   audience        = "fanfare"
#   allowed_tenants = ["acme", "globex"]
# }

# Somebody must hear of alarms: subscribe to the topic in the output alarm_topic_arn, or name topics of yours.
# alarms = {
#   create_topic = false
#   topic_arns   = ["arn:aws:sns:eu-west-1:111122223333:on-call"]
#   runbook      = "https://git.example/fanfare/infra/RUNBOOK.md"
# }
