package suite

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"fanfare/localstack/faults"
	"fanfare/shared/auth/authtest"
)

// plain fails unless a failure's answer says that something failed and no more:
// neither whose fault it is, nor what is inside.
func plain(t *testing.T, answer string) {
	t.Helper()
	var members map[string]string
	if err := json.Unmarshal([]byte(answer), &members); err != nil {
		t.Fatalf("answer %q: %v", answer, err)
	}
	if members["message"] != "Internal server error" {
		t.Errorf("answered %s, want an internal server error", answer)
	}
	for name := range members {
		if name != "message" && name != "connectionId" && name != "requestId" {
			t.Errorf("the client is told %q: %s", name, answer)
		}
	}
}

func TestAFunctionThatCrashesFailsOneCallAlone(t *testing.T) {
	s := beginAlone(t, faultRules)
	crash := func(function string) (struck func() int) {
		t.Helper()
		return s.fault(faults.Rule{Service: "lambda", Operation: "Invoke", Resource: function, Count: 1, Fault: faults.Fault{Kill: true}})
	}
	open := s.dial("open", s.tenant)

	crash("fanfare-connect")
	token := s.stack.Token("u", s.tenant)
	status, body := s.refused(s.stack.Outputs.WebSocketURL+"?token="+token, nil)
	if status != http.StatusBadGateway {
		t.Errorf("a connect whose function crashes: HTTP %d, want 502", status)
	}
	plain(t, body)
	c := s.dial("c", s.tenant)

	crash("fanfare-message")
	f := c.ask(`{"action":"ping","id":"secret-of-the-client"}`, "")
	plain(t, f.raw)
	if strings.Contains(f.raw, "secret") {
		t.Errorf("the answer has a part of the frame: %s", f.raw)
	}
	c.ask(`{"action":"ping"}`, "pong")

	// Nobody hears of a $disconnect that crashes. It had done its work.
	id := s.connectionID(c, "c")
	struck := crash("fanfare-disconnect")
	_ = c.conn.CloseNow()
	s.eventually(func() string {
		if struck() != 1 {
			return "the function has not crashed"
		}
		return ""
	})
	s.removed(id)
	open.ask(`{"action":"broadcast","to":{"tenant":true},"data":1}`, "accepted")
	open.message()
	open.silent("the client that stays")
}

// A function that cannot start at all answers as one that crashes, and what is
// wrong is in its own log alone.
func TestAFunctionThatCannotStartSaysWhyInItsLogAlone(t *testing.T) {
	s := beginAlone(t, ownCloud)
	c := s.dial("u", s.tenant)
	key := authtest.NewKey().PrivatePEM()
	err := s.stack.reconfigure(t.Context(), "fanfare-message", func(env map[string]string) {
		env["JWT_PUBLIC_KEY"] = key // a private one is refused
	})
	if err != nil {
		t.Fatal(err)
	}
	plain(t, c.ask(`{"action":"ping"}`, "").raw)
	lines, err := s.stack.functionLogs(t.Context(), s.rec.began)
	if err != nil {
		t.Fatal(err)
	}
	said := false
	for _, l := range lines {
		said = said || l.function == "fanfare-message" && strings.Contains(l.text, "JWT_PUBLIC_KEY")
		if strings.Contains(l.text, strings.Split(key, "\n")[1]) {
			t.Error("the key is in the log")
		}
	}
	if !said {
		t.Errorf("the log of fanfare-message does not name JWT_PUBLIC_KEY: %v", lines)
	}
	_ = s.stack.reconfigure(t.Context(), "fanfare-message", func(env map[string]string) {
		env["JWT_PUBLIC_KEY"] = s.stack.Key.PublicPEM()
	})
	c.ask(`{"action":"ping"}`, "pong")
}
