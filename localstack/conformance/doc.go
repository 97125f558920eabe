// Package conformance is the proof that the local cloud behaves like AWS: a
// table of claims, each with the AWS page or the observation it comes from and
// with a test that plays it against the whole cloud from outside, by SDK, HTTP
// and WebSocket clients and a real function. `go test ./localstack/conformance`
// runs it without network, account or Docker. ../CONFORMANCE.md lists the
// claims for readers and is written from the table:
//
//	go test ./localstack/conformance -run TestTheDocument -update
//
// It promises nothing about what no claim mentions. A claim marked unverified
// is our best reading, not something that was seen in AWS.
package conformance
