# The local cloud. The scripts add -var architecture=<the host's>, because there the functions run on the host.
artifacts_dir = "../.build/local"

tokens = {
  public_key_file = "../.local/dev-key.pub.pem"
  issuer          = "fanfare-dev"
  audience        = "fanfare"
}

# Taken down as often as it is brought up.
table = { deletion_protection = false }

# The cloud is ours alone, so the account's role is ours to set: every local run writes the access log as it would in AWS.
logs = { access = true, manage_account_logging_role = true }

# The local cloud has no SNS.
alarms = { create_topic = false }
