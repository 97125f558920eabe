// Package connectiontest has a Store and a Sender for tests of code that uses
// connection.Manager: in memory, scripted by the test, and honest about what
// they were asked to do.
//
//	sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
//	sender.Script("c1", connection.ErrThrottled, nil) // fails once, then works
//	sender.Always("c2", connection.ErrGone)
//	store := connectiontest.NewStore(connection.Connection{ID: "c2"})
//	manager := connection.NewManager(store, sender, connection.Options{})
//
// Time passes by time.Sleep, so that in a testing/synctest bubble a latency
// costs nothing. Both keep all that they see and are not meant for more than
// some ten thousand connections.
package connectiontest
