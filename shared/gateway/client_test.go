package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"

	"fanfare/shared/connection"
	"fanfare/shared/gateway"
)

// newClient returns a client of a stage that answers every call with h.
func newClient(t testing.TB, h http.HandlerFunc) *gateway.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := gateway.New(gateway.Options{
		Endpoint: srv.URL + "/live", Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", "SESSION"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPostIsTheRequestThatTheSDKSends(t *testing.T) {
	var got *http.Request
	var body []byte
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	})
	if err := c.Post(t.Context(), "R0oX+/AdfD0kwCH6w=", connection.NewMessage([]byte("hello"))); err != nil {
		t.Fatal(err)
	}
	if want := "/live/@connections/R0oX%2B%2FAdfD0kwCH6w%3D"; got.RequestURI != want {
		t.Errorf("path on the wire %s, want %s", got.RequestURI, want)
	}
	if got.Method != http.MethodPost || string(body) != "hello" || got.ContentLength != 5 {
		t.Errorf("got %s with %q (length %d), want POST with \"hello\" (5)", got.Method, body, got.ContentLength)
	}
	for name, want := range map[string]string{
		"Content-Type":         "application/octet-stream",
		"X-Amz-Security-Token": "SESSION",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if auth := got.Header.Get("Authorization"); !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKID/") {
		t.Errorf("Authorization %q", auth)
	}
}

func TestAnswersBecomeErrorsThatSayWhatToDo(t *testing.T) {
	tests := []struct {
		name   string
		status int
		kind   string // x-amzn-ErrorType
		body   string
		want   error
		sdk    any // what errors.As must find
	}{
		{"gone, with AWS's empty body", 410, "GoneException", "", connection.ErrGone, new(*types.GoneException)},
		{"gone without a type", 410, "", "", connection.ErrGone, new(*types.GoneException)},
		{"an id that no socket can have", 400, "BadRequestException", `{"message":"Invalid connectionId: x"}`, connection.ErrGone, nil},
		{"another 400 is our own fault", 400, "BadRequestException", `{"message":"Bad"}`, connection.ErrInvalid, nil},
		{"forbidden", 403, "ForbiddenException", `{"message":"Forbidden"}`, connection.ErrForbidden, new(*types.ForbiddenException)},
		{"too large", 413, "PayloadTooLargeException", "", connection.ErrTooLarge, new(*types.PayloadTooLargeException)},
		{"throttled", 429, "LimitExceededException", "", connection.ErrThrottled, new(*types.LimitExceededException)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("x-amzn-ErrorType", tt.kind)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			err := c.Post(t.Context(), "id", connection.NewMessage(nil))
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if tt.sdk != nil && !errors.As(err, tt.sdk) {
				t.Errorf("errors.As %T found nothing in %v", tt.sdk, err)
			}
		})
	}
}

func TestAFailureIsNoneOfTheAnswers(t *testing.T) {
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	err := c.Post(t.Context(), "id", connection.NewMessage(nil))
	e, ok := errors.AsType[*gateway.Error](err)
	if !ok || e.Status != 500 || len(e.Unwrap()) != 0 {
		t.Errorf("error %#v, want a *gateway.Error of status 500 without a cause", err)
	}
}

func TestNewNamesTheOptionAtFault(t *testing.T) {
	creds := credentials.NewStaticCredentialsProvider("a", "b", "")
	for want, o := range map[string]gateway.Options{
		"must be https://": {Endpoint: "abc.example.com/live", Region: "r", Credentials: creds},
		"lacks the stage":  {Endpoint: "https://abc.example.com/", Region: "r", Credentials: creds},
		"no region":        {Endpoint: "https://abc.example.com/live", Credentials: creds},
		"no credentials":   {Endpoint: "https://abc.example.com/live", Region: "r"},
	} {
		t.Run(want, func(t *testing.T) {
			if _, err := gateway.New(o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDeleteClosesTheConnection(t *testing.T) {
	var got *http.Request
	c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.WriteHeader(http.StatusNoContent)
	})
	if err := c.Delete(t.Context(), "L0SM9cOFvHcCIhw="); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodDelete || got.RequestURI != "/live/@connections/L0SM9cOFvHcCIhw%3D" || got.ContentLength != 0 {
		t.Errorf("%s %s with %d bytes", got.Method, got.RequestURI, got.ContentLength)
	}
}

func TestACallEndsWithItsTimeout(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	c, err := gateway.New(gateway.Options{
		Endpoint: srv.URL + "/live", Region: "us-east-1", Timeout: 10 * time.Millisecond,
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Post(t.Context(), "id", connection.NewMessage(nil)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the time-out", err)
	}
}

func TestGetReadsWhatTheGatewayKnows(t *testing.T) {
	c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"identity":{"sourceIp":"192.0.2.1","userAgent":null},"connectedAt":"2020-11-15T12:23:14.726Z","lastActiveAt":"2020-11-15T12:23:15.000Z"}`)
	})
	info, err := c.Get(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	if info.Identity.SourceIP != "192.0.2.1" || info.ConnectedAt.UnixMilli() != 1605442994726 {
		t.Errorf("got %+v", info)
	}
}

func ExampleClient_Post() {
	stage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-amzn-ErrorType", "GoneException")
		w.WriteHeader(http.StatusGone)
	}))
	defer stage.Close()
	gw, err := gateway.New(gateway.Options{
		Endpoint: stage.URL + "/live", Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = gw.Post(context.Background(), "L0SM9cOFvHcCIhw=", connection.NewMessage([]byte("hello")))
	fmt.Println(errors.Is(err, connection.ErrGone))
	// Output: true
}
