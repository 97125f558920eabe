// Package scale holds the benchmarks of broadcasts to many: real sockets of a
// whole deployment on the local cloud, and more of them in memory. `make bench`
// runs them and prints their figures beside what was promised:
//
//	go test -run '^$' -bench . -benchtime 1x ./scripts/bench/scale
//
// The stack is deployed once with Terraform and kept in .local/bench. The
// sockets' clients are in processes of their own, because a process has no more
// than 20,000 files; all run on this machine, so the figures are of the cloud,
// the functions and the clients sharing its processors.
//
// Times are real time, from the moment when the message is handed to the
// broadcast queue to the one when its last client has read it. A worker that is
// killed leaves its unit invisible for minutes: there the cloud's clock is moved
// on once nothing comes any more, and the minutes skipped are in no figure.
package scale
