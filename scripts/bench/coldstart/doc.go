// Package coldstart holds the benchmark of the functions' cold starts: their
// executables, as they are deployed, beside a bare aws-lambda-go program that
// is built the same way. `make bench` runs it and prints its figures beside what
// was promised:
//
//	go test -run '^$' -bench . -benchtime 100x ./scripts/bench/coldstart
//
// A cold start here is from before the program is executed to when its first
// call for an invoke arrives at the Runtime API, which this process plays. It is
// what Lambda's Init phase has of the code; the download of the zip and the
// start of the machine are not in it. In a round each program starts once, in an
// order that is drawn anew, because a start is a tenth faster after a large
// program, whose memory is at hand, than after a small one. The medians count, so
// that what else the machine does falls on all alike.
//
// Of connect and message it is measured too when their first event is answered.
// Their table is played by this process as well: no network and no TLS is in it.
//
// COLDSTART_FUNCTIONS names a folder of executables to measure instead of this
// tree's functions: those of another version.
package coldstart
