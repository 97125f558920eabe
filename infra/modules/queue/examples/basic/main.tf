module "queue" {
  source = "../.."

  name                     = "fanfare-broadcast"
  consumer_timeout_seconds = 60
}
