package sqs_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func messageCount(t *testing.T, snapshot []byte) (n int) {
	t.Helper()
	var s struct {
		Queues []struct{ Messages []json.RawMessage }
	}
	if err := json.Unmarshal(snapshot, &s); err != nil {
		t.Fatal(err)
	}
	for _, q := range s.Queues {
		n += len(q.Messages)
	}
	return n
}

func TestARestoredServiceGoesOnWhereItWas(t *testing.T) {
	old := newCloud(t)
	url, arn := old.queue("orders", "VisibilityTimeout", "30", "KmsMasterKeyId", "alias/mine")
	old.send(arn, "in flight", "deleted later")
	taken := old.receive(arn)
	old.send(arn, "first", "second")
	before := old.attributes(url)
	data, err := old.Snapshot()
	if err != nil {
		t.Fatal(err)
	}

	c := newCloud(t)
	if err := c.Restore(data); err != nil {
		t.Fatal(err)
	}
	restoredURL := c.url + "/000000000000/orders"
	for name, want := range before {
		if got := c.attributes(restoredURL)[name]; got != want {
			t.Errorf("%s = %q, want %q as before", name, got, want)
		}
	}
	if err := c.Delete(arn, taken[1].ReceiptHandle); err != nil {
		t.Errorf("a receipt handle from before: %v", err)
	}
	c.expect("what was ready, in its order", arn, "first", "second")
	c.clock.Advance(seconds(30))
	if got := c.receive(arn); len(got) != 3 {
		t.Errorf("%d messages became visible again, want 3", len(got))
	}
}

func TestABadSnapshotChangesNothing(t *testing.T) {
	c := newCloud(t)
	_, arn := c.queue("orders")
	for name, data := range map[string]string{
		"no JSON":          "{",
		"a bad name":       `{"queues":[{"region":"us-east-1","name":"a/b"}]}`,
		"a bad attribute":  `{"queues":[{"region":"us-east-1","name":"a","attributes":{"VisibilityTimeout":"x"}}]}`,
		"an unknown state": `{"queues":[{"region":"us-east-1","name":"a","messages":[{"id":"1","state":"lost"}]}]}`,
		"an id twice":      `{"queues":[{"region":"us-east-1","name":"a","messages":[{"id":"1","state":"ready"},{"id":"1","state":"ready"}]}]}`,
	} {
		err := c.Restore([]byte(data))
		if err == nil || !strings.HasPrefix(err.Error(), "sqs: restore: ") {
			t.Errorf("%s: Restore = %v, want an error", name, err)
		}
	}
	if _, ok := c.Lookup(arn); !ok {
		t.Error("a failed Restore lost the queue")
	}
}
