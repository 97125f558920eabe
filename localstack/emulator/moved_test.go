package emulator

import "testing"

func TestFormerAddressesInAFunctionsVariables(t *testing.T) {
	e, err := New(Options{Addr: "127.0.0.1:45660", Hostname: "cloud.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	e.former = []addresses{{Public: "localhost:4566", Own: "127.0.0.1:4566"}, {Public: "other:80", Own: "other:80"}}
	for _, tt := range []struct{ what, value, want string }{
		{"an API as clients name it", "ws://localhost:4566/_aws/execute-api/a1/live", "ws://cloud.example:45660/_aws/execute-api/a1/live"},
		{"the cloud as this machine does", "http://127.0.0.1:4566", "http://127.0.0.1:45660"},
		{"several, from several former clouds", "http://localhost:4566/a,http://other:80/b", "http://cloud.example:45660/a,http://cloud.example:45660/b"},
		{"a longer port that begins alike", "http://localhost:45661/", "http://localhost:45661/"},
		{"another host", "https://issuer.example/localhost:4566", "https://issuer.example/localhost:4566"},
		{"no URL", "localhost:4566", "localhost:4566"},
		{"empty", "", ""},
	} {
		if got := e.movedValue(tt.value); got != tt.want {
			t.Errorf("%s: %q became %q, want %q", tt.what, tt.value, got, tt.want)
		}
	}
}
