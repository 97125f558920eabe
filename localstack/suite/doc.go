// Package suite is the connect/broadcast integration suite: real clients, the
// real functions, and the infrastructure that Terraform deployed. `make
// local-test` runs it:
//
//	go test ./localstack/suite -target embedded     the local cloud in this process
//	go test ./localstack/suite -target container    its image, by testcontainers' module for LocalStack
//	go test ./localstack/suite -target compose      the image as localstack/compose.yaml brings it up, down and up again
//	go test ./localstack/suite -target aws          what `terraform apply` left in AWS
//
// Without -target its tests are skipped, because a deployment takes a minute
// and a half and needs Terraform; `go test ./...` must pass without. What was
// deployed is kept, and restored the next time, unless something changed.
//
// Every scenario has tenants of its own, so all run at the same time. One that
// moves the clock, lowers limits, kills functions or rotates keys gets a cloud of
// its own, restored from what was deployed (clone_test.go). A scenario says to
// begin what it needs beyond sockets, queue and table; a target without that skips
// it. SCENARIOS.md lists them all.
//
// A scenario that fails prints what its clients sent and got, what the functions
// printed for it and what the cloud was asked for it, and nothing of the others
// (record_test.go).
package suite
