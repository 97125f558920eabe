package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

func TestWhatIsPrinted(t *testing.T) {
	toAll := []string{"-tenant", "acme", "-all", "-data", `{"n":1}`}
	with := func(more ...string) []string { return append(append([]string{}, toAll...), more...) }
	for _, tt := range []struct {
		name string // of the golden file too
		set  func(w *world)
		args []string
		ok   bool
	}{
		{"a split broadcast to its end", func(w *world) {
			w.connect(1200)
			w.sender.Always("c0003", connection.ErrGone)
			w.sender.Slow("c0700", 2*time.Second)
		}, toAll, true},
		{"a small broadcast", func(w *world) { w.connect(3) }, []string{"-tenant", "acme", "-channel", "orders", "-data", "1"}, true},
		{"nobody there", func(*world) {}, []string{"-tenant", "Acme", "-user", "ann", "-data", "1"}, true},
		{"clients that are given up", func(w *world) {
			w.connect(600)
			w.sender.Always("c0001", connection.ErrThrottled)
		}, toAll, false},
		{"a unit among the dead letters", func(w *world) {
			w.connect(600)
			w.sender.Always("c0001", errors.New("500"))
		}, toAll, false},
		{"a small broadcast among the dead letters", func(w *world) {
			w.connect(2)
			w.sender.Always("c0001", connection.ErrForbidden)
		}, toAll, false},
		{"expired before its turn", func(w *world) { w.connect(600) }, with("-ttl", "1s"), true},
		{"still open when the time is over", func(w *world) { w.connect(600); w.deliver = time.Minute }, with("-timeout", "10s"), false},
		{"nobody reads the queue", func(w *world) { w.idle = true }, with("-timeout", "10s", "-key", "k"), false},
		{"not followed", func(w *world) { w.connect(1) }, with("-follow=false"), true},
		{"a key of its own", func(w *world) { w.connect(1) }, with("-key", "k"), true},
		{"a dry run", func(w *world) { w.connect(12_345) }, with("-dry-run", "-key", "k"), true},
		{"a dry run of one unit", func(w *world) { w.connect(20) }, with("-dry-run", "-post-rate", "1000"), true},
		{"a dry run of nobody", func(*world) {}, with("-dry-run"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				tt.set(w)
				if err := w.call(tt.args...); (err == nil) != tt.ok {
					t.Errorf("error %v, want success: %v", err, tt.ok)
				}
				w.running.Wait()
				w.golden(strings.ReplaceAll(tt.name, " ", "-"))
			})
		})
	}
}

func TestARepeatedKeyShowsTheFirstReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.connect(3)
		args := []string{"-tenant", "acme", "-all", "-data", `{ "n": 1 }`, "-key", "order-17"}
		if err := w.call(args...); err != nil {
			t.Fatal(err)
		}
		w.out.Reset()
		time.Sleep(5 * time.Second) // the bubble's clock
		if err := w.call(args...); err != nil {
			t.Fatal(err)
		}
		w.running.Wait()
		if posts := len(w.sender.Posts()); posts != 3 {
			t.Errorf("%d posts, want each client's one", posts)
		}
		w.golden("a-repeated-key")
	})
}

// Both are sent before either has claimed the key.
func TestAKeyThatAnotherTakesInTheSameMoment(t *testing.T) {
	for data, want := range map[string]string{"1": "", "2": "in the same moment"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.connect(1)
			other := broadcast.Message{
				Tenant: "acme", To: protocol.Audience{Tenant: true}, Data: json.RawMessage(data), IdempotencyKey: "k", MessageID: "other",
			}
			if err := w.SendBroadcast(t.Context(), other); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond) // the bubble's clock
			err := w.call("-tenant", "acme", "-all", "-data", "1", "-key", "k")
			w.running.Wait()
			if want == "" && (err != nil || !strings.Contains(w.out.String(), "repeated")) {
				t.Errorf("error %v, printed %s", err, &w.out)
			}
			if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}

func TestAKeyOfAnotherBroadcastIsRefusedBeforeAnythingIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.connect(1)
		if err := w.call("-tenant", "acme", "-all", "-data", "1", "-key", "k"); err != nil {
			t.Fatal(err)
		}
		err := w.call("-tenant", "acme", "-all", "-data", "2", "-key", "k")
		if err == nil || !strings.Contains(err.Error(), "nothing was queued") || len(w.queued) != 1 {
			t.Errorf("error %v, %d queued", err, len(w.queued))
		}
		w.running.Wait()
	})
}

func TestWhatTheServiceWouldRefuseIsNotQueued(t *testing.T) {
	big := `"` + strings.Repeat("x", protocol.MaxFrame-50) + `"`
	for want, args := range map[string][]string{
		"at most 131072 are allowed":     {"-tenant", "acme", "-all", "-data", big},
		`"tenant" holds a control char`:  {"-tenant", "a\x00b", "-all", "-data", "1"},
		`"tenant" has 129 bytes`:         {"-tenant", strings.Repeat("x", 129), "-all", "-data", "1"},
		`"ttl" must be between 1`:        {"-tenant", "acme", "-all", "-data", "1", "-ttl", "120h"},
		`"idempotencyKey" has 129 bytes`: {"-tenant", "acme", "-all", "-data", "1", "-key", strings.Repeat("k", 129), "-follow=false"},
		"not valid UTF-8":                {"-tenant", "acme", "-all", "-data", "\"\xff\""},
	} {
		w := newWorld(t)
		err := w.call(args...)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "nothing was queued") || len(w.queued) != 0 {
			t.Errorf("error %.300v, %d queued; want one with %q", err, len(w.queued), want)
		}
	}
}

func TestAFrameOf128KBFitsAndAByteMoreDoesNot(t *testing.T) {
	o, err := parseOptions([]string{"-tenant", "acme", "-all", "-data", `""`}, nil, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	tool := &tool{options: o, now: time.Now}
	_, frame, err := tool.message()
	if err != nil {
		t.Fatal(err)
	}
	room := protocol.MaxFrame - len(frame)
	tool.data = json.RawMessage(`"` + strings.Repeat("x", room) + `"`)
	if _, frame, err = tool.message(); err != nil || len(frame) != protocol.MaxFrame {
		t.Errorf("frame of %d bytes, error %v", len(frame), err)
	}
	tool.data = json.RawMessage(`"` + strings.Repeat("x", room+1) + `"`)
	if _, _, err = tool.message(); err == nil {
		t.Error("a byte more is not refused")
	}
}

func TestABackEndsMessageIsWhatIsQueued(t *testing.T) {
	w := newWorld(t)
	w.idle = true
	if err := w.call("-tenant", "acme", "-connections", "a, b", "-data", `{"html": "<b>"}`, "-ttl", "90s", "-key", "k", "-follow=false"); err != nil {
		t.Fatal(err)
	}
	m := w.queued[0]
	if m.Tenant != "acme" || len(m.To.Connections) != 2 || *m.TTL != 90 || m.IdempotencyKey != "k" || string(m.Data) != `{"html":"<b>"}` || !messageID.MatchString(m.MessageID) || m.Time != 0 || m.From != nil {
		t.Errorf("queued %+v", m)
	}
}

func TestWhatTheQueueDoesNotTakeIsAnError(t *testing.T) {
	w := newWorld(t)
	w.refuse = errors.New("ThrottlingException")
	if err := w.call("-tenant", "acme", "-all", "-data", "1"); !errors.Is(err, w.refuse) || !strings.Contains(err.Error(), "not queued") {
		t.Errorf("error %v", err)
	}
}

func TestTheStatusOfABroadcast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.connect(600)
		if err := w.call("-status", "unknown"); err == nil || !strings.Contains(err.Error(), "no receipt of unknown") {
			t.Errorf("error %v", err)
		}
		if err := w.call("-tenant", "acme", "-all", "-data", "1", "-follow=false"); err != nil {
			t.Fatal(err)
		}
		id := w.queued[0].MessageID
		time.Sleep(time.Second) // the bubble's clock: it is split, and no unit taken
		w.out.Reset()
		if err := w.call("-status", id, "-follow=false"); err == nil || !strings.Contains(err.Error(), "still open") {
			t.Errorf("error %v, want that it is open", err)
		}
		if err := w.call("-status", id); err != nil {
			t.Errorf("followed: %v", err)
		}
		if err := w.call("-status", id); err != nil {
			t.Errorf("when it is done: %v", err)
		}
		w.running.Wait()
		w.golden("the-status")
	})
}
