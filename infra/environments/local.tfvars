# The local cloud. The scripts add -var architecture=<the host's>, because there the functions run on the host.
artifacts_dir = "../.build/local"

tokens = {
  public_key_file = "../.local/dev-key.pub.pem"
  issuer          = "fanfare-dev"
  audience        = "fanfare"
}

# Taken down as often as it is brought up.
table = { deletion_protection = false }

# The local cloud has no SNS.
alarms = { create_topic = false }
