package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// FuzzSignatureIsTheSDKs holds the small signer to the SDK's general one.
func FuzzSignatureIsTheSDKs(f *testing.F) {
	f.Add("R0oX+/AdfD0kwCH6w=", "live", []byte(`{"type":"message"}`), "token", int64(1732450000), true)
	f.Add("L0SM9cOFvHcCIhw=", "$default", []byte{}, "", int64(0), false)
	f.Add("a b%2F@ü", "stage-1", []byte("x"), "", int64(4102444799), true)
	f.Fuzz(func(t *testing.T, id, stage string, body []byte, token string, unix int64, post bool) {
		if !isHeaderValue(token) || stage == "" || unix < 0 || unix > 4102444799 {
			t.Skip("not a stage, a token or a date that AWS could give")
		}
		creds := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI", SessionToken: token}
		c, err := New(Options{
			Endpoint: "https://abc.execute-api.eu-west-1.amazonaws.com/" + escape(stage), Region: "eu-west-1",
			Credentials: credentials.StaticCredentialsProvider{Value: creds},
		})
		if err != nil {
			t.Skip("not an endpoint: " + err.Error())
		}
		method, sum := http.MethodDelete, sha256.Sum256(nil)
		if post {
			method, sum = http.MethodPost, sha256.Sum256(body)
		}
		ours := c.request(t.Context(), method, id, body)
		theirs := ours.Clone(t.Context())
		// The SDK's signer reads Path where ours is Opaque.
		theirs.URL.Path, theirs.URL.RawPath, theirs.URL.Opaque = unescape(t, ours.URL.Opaque), ours.URL.Opaque, ""
		hash, now := hex.EncodeToString(sum[:]), time.Unix(unix, 0)
		c.signer.sign(ours, hash, creds, now)
		if err := v4.NewSigner().SignHTTP(t.Context(), creds, theirs, hash, "execute-api", "eu-west-1", now); err != nil {
			t.Fatal(err)
		}
		if got, want := ours.Header.Get("Authorization"), theirs.Header.Get("Authorization"); got != want {
			t.Errorf("id %q stage %q:\n got %s\nwant %s", id, stage, got, want)
		}
	})
}

func isHeaderValue(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

func unescape(t *testing.T, path string) string {
	t.Helper()
	plain, err := url.PathUnescape(path)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestTheDayKeyChangesWithDayAndCredentials(t *testing.T) {
	s := newSigner("us-east-1")
	creds := aws.Credentials{AccessKeyID: "a", SecretAccessKey: "s", SessionToken: "t"}
	first := s.dayKey("20260101", creds)
	if s.dayKey("20260101", creds) != first {
		t.Error("same day and credentials: made again")
	}
	if s.dayKey("20260102", creds) == first {
		t.Error("next day: same key")
	}
	for name, change := range map[string]func(*aws.Credentials){
		"secret": func(c *aws.Credentials) { c.SecretAccessKey = "s2" },
		"key id": func(c *aws.Credentials) { c.AccessKeyID = "a2" },
		"token":  func(c *aws.Credentials) { c.SessionToken = "t2" },
	} {
		s.dayKey("20260101", creds)
		rotated := creds
		change(&rotated)
		if k := s.dayKey("20260101", rotated); k.creds != rotated {
			t.Errorf("another %s: the old key", name)
		}
	}
}
