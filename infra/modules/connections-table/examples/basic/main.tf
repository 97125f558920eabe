module "connections_table" {
  source = "../.."

  name = "fanfare-connections"
}
