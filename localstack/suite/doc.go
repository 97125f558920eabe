// Package suite is the connect/broadcast integration suite: real clients, the
// real functions, and the infrastructure that Terraform deployed. `make
// local-test` runs it:
//
//	go test ./localstack/suite -target embedded
//
// Without -target its tests are skipped, because a deployment takes a minute
// and a half and needs Terraform; `go test ./...` must pass without.
//
// Every scenario has tenants of its own, so all run at the same time, but for
// those that pause a queue or kill functions.
package suite
