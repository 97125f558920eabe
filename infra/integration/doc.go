// Package integration is what infra/ does to a deployment that is there: the
// whole root is applied to a local cloud, changed, put right after something was
// changed behind Terraform's back, rolled back, finished after it failed half-way,
// and destroyed. `make infra-test` runs it, beside the mocked tests of each
// module (tests/ there):
//
//	go test ./infra/integration -live
//
// Without -live its tests are skipped, because they need Terraform and take
// minutes: the provider waits 25 s for a queue and 5 s for a function. infra/ itself
// is never changed: each test has a copy.
package integration
