# The local cloud. The scripts add -var architecture=<the host's>, because there the functions run on the host.
artifacts_dir       = "../.build/local"
jwt_public_key_file = "../.local/dev-key.pub.pem"
jwt_issuer          = "fanfare-dev"
jwt_audience        = "fanfare"

# Taken down as often as it is brought up.
deletion_protection = false
