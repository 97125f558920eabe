package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

// issued is a configuration that trusts what the issuer publishes.
func issued(issuer *authtest.Issuer) auth.Config {
	return auth.Config{
		JWKSURL: issuer.URL(), HTTPClient: issuer.Client(),
		Issuers: []string{issuer.Name()}, Audiences: []string{audience},
	}
}

// longLived is a token that outlives what the tests below sleep through.
func longLived() authtest.Claims {
	c := alice()
	c.TTL = 1000 * time.Hour
	return c
}

func mustAdmit(t *testing.T, v *auth.Verifier, token, when string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("%s: %v", when, err)
	}
}

func mustFail(t *testing.T, v *auth.Verifier, token, when string, want error) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, want) {
		t.Errorf("%s: error is %v, want %v", when, err, want)
	}
}

func mustHaveAsked(t *testing.T, issuer *authtest.Issuer, want int, when string) {
	t.Helper()
	if got := issuer.Fetches(); got != want {
		t.Errorf("%s: the issuer was asked %d times, want %d", when, got, want)
	}
}

// bubble runs a test in a bubble, whose time passes as the test sleeps.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	_, _, _ = ours(), theirs(), next() // made outside, where time is real
	synctest.Test(t, f)
}

func TestJWKSIsFetchedOnceForAKnownKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours())
		v := newVerifier(t, issued(issuer))
		mustHaveAsked(t, issuer, 1, "after NewVerifier")
		for range 100 {
			mustAdmit(t, v, issuer.Sign(alice()), "a known key")
			mustFail(t, v, issuer.Sign(alice(), authtest.Expired()), "an expired token", auth.ErrTokenExpired)
			mustFail(t, v, issuer.Sign(alice(), authtest.WithHeader("alg", "HS256"), authtest.WithHeader("kid", "x")), "a foreign algorithm", auth.ErrAlgorithm)
			mustFail(t, v, theirs().Sign(alice(), authtest.WithHeader("kid", nil)), "a stranger without kid", auth.ErrSignature)
		}
		mustHaveAsked(t, issuer, 1, "after 400 tokens")
	})
}

func TestJWKSRotationIsNoticedWithoutARestart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours())
		v := newVerifier(t, issued(issuer))
		old := issuer.Sign(longLived())
		issuer.Publish(next())
		mustAdmit(t, v, issuer.Sign(alice()), "right after the rotation")
		mustAdmit(t, v, old, "a token of the old key, still published")
		mustHaveAsked(t, issuer, 2, "after one rotation")

		issuer.Publish(theirs())
		mustFail(t, v, issuer.Sign(alice()), "a second rotation within 30 s", auth.ErrKeyUnknown)
		mustHaveAsked(t, issuer, 2, "within 30 s")
		time.Sleep(30 * time.Second)
		mustAdmit(t, v, issuer.Sign(alice()), "a second rotation after 30 s")
		mustHaveAsked(t, issuer, 3, "after two rotations")
	})
}

func TestJWKSRandomKeyIDsCannotFloodTheIssuer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours())
		v := newVerifier(t, issued(issuer))
		honest, forged := issuer.Sign(alice()), strings.Split(theirs().Sign(alice()), ".")
		for i := range 10_000 {
			header := fmt.Sprintf(`{"alg":"RS256","kid":"random-%d"}`, i)
			token := b64(header) + "." + forged[1] + "." + forged[2]
			mustFail(t, v, token, "a random kid", auth.ErrKeyUnknown)
			time.Sleep(time.Millisecond)
		}
		mustHaveAsked(t, issuer, 2, "after 10,000 random kids in 10 s, the start included")
		mustAdmit(t, v, honest, "an honest token amid them")
	})
}

func TestJWKSUnknownKeyIDIsRemembered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours())
		v := newVerifier(t, issued(issuer))
		stranger := theirs().Sign(longLived())
		for range 9 { // 4.5 minutes
			mustFail(t, v, stranger, "a kid that is not there", auth.ErrKeyUnknown)
			time.Sleep(30 * time.Second)
		}
		mustHaveAsked(t, issuer, 2, "for one kid in 4.5 minutes")

		issuer.Publish(theirs()) // late: the tokens came before the key
		mustFail(t, v, stranger, "within five minutes", auth.ErrKeyUnknown)
		time.Sleep(time.Minute)
		mustAdmit(t, v, stranger, "after five minutes")
	})
}

func TestJWKSWithdrawnKeyStopsBeingTrusted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours(), next())
		v := newVerifier(t, issued(issuer))
		stolen := ours().Sign(longLived())
		issuer.Withdraw(ours())
		time.Sleep(15 * time.Minute)
		mustAdmit(t, v, stolen, "15 minutes on, the age that is allowed")
		time.Sleep(time.Second)
		mustFail(t, v, stolen, "after 15 minutes", auth.ErrKeyUnknown)
		mustAdmit(t, v, issuer.Sign(alice()), "the key that stayed")
		mustHaveAsked(t, issuer, 2, "in all")
	})
}

func TestJWKSKeysAreKeptForADayWhileTheIssuerIsDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours())
		cfg := issued(issuer)
		var ages []time.Duration
		cfg.OnStaleKeys = func(_ context.Context, age time.Duration) { ages = append(ages, age) }
		v := newVerifier(t, cfg)
		token := issuer.Sign(longLived())
		issuer.Fail(http.StatusServiceUnavailable)

		time.Sleep(16 * time.Minute)
		for range 60 { // one minute
			mustAdmit(t, v, token, "keys of 16 minutes")
			time.Sleep(time.Second)
		}
		mustHaveAsked(t, issuer, 3, "in one minute of failure, the start included")
		if len(ages) != 2 || ages[0] != 16*time.Minute {
			t.Errorf("warned of ages %v", ages)
		}

		time.Sleep(23*time.Hour + 43*time.Minute) // 24 h in all
		mustAdmit(t, v, token, "keys of a day")
		time.Sleep(time.Minute)
		mustFail(t, v, token, "keys of more than a day", auth.ErrKeysUnavailable)
		if last := ages[len(ages)-1]; last != 0 {
			t.Errorf("age %v although no key is left", last)
		}

		issuer.Fail(0)
		time.Sleep(30 * time.Second)
		mustAdmit(t, v, token, "the issuer is back")
		if s := v.KeyStats(); s.Keys != 1 || s.Age != 0 || s.Failures != len(ages) {
			t.Errorf("stats are %+v after %d failures", s, len(ages))
		}
	})
}

func TestJWKSIssuerDownAtTheStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours())
		issuer.Fail(http.StatusBadGateway)
		v := newVerifier(t, issued(issuer))
		mustFail(t, v, issuer.Sign(alice()), "no key yet", auth.ErrKeysUnavailable)
		issuer.Fail(0)
		mustFail(t, v, issuer.Sign(alice()), "within 30 s of the last try", auth.ErrKeysUnavailable)
		time.Sleep(30 * time.Second)
		mustAdmit(t, v, issuer.Sign(alice()), "after it")
	})
}

func TestJWKSOneFetchAtATimeAndAllWaitForIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours())
		cfg := issued(issuer)
		cfg.HTTPClient = slow(issuer, time.Second)
		v := newVerifier(t, cfg)
		issuer.Publish(next())
		token := issuer.Sign(alice())

		// The one that begins the fetch gives up; the others must not suffer.
		leader, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = v.Verify(leader, token) })
		synctest.Wait()
		for range 20 {
			wg.Go(func() { mustAdmit(t, v, token, "a request that waits") })
		}
		impatient, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		wg.Go(func() {
			begun := time.Now()
			if _, err := v.Verify(impatient, token); !errors.Is(err, auth.ErrKeysUnavailable) || time.Since(begun) != time.Millisecond {
				t.Errorf("an impatient one: %v after %v", err, time.Since(begun))
			}
		})
		cancel()
		wg.Wait()
		mustHaveAsked(t, issuer, 2, "for 22 requests at once, the start included")
	})
}

func TestJWKSFetchIsBoundedInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg := auth.Config{JWKSURL: "https://issuer.test/", HTTPClient: &http.Client{
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}),
		}}
		begun := time.Now()
		v := newVerifier(t, cfg)
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("NewVerifier took %v", took)
		}
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun = time.Now()
		_, err := v.Verify(ctx, ours().Sign(alice()))
		if took := time.Since(begun); took != time.Second || !errors.Is(err, auth.ErrKeysUnavailable) {
			t.Errorf("with a second left: %v after %v", err, took)
		}
	})
}

// The client's error quotes the URL, whose query may hold a secret.
func TestJWKSURLStaysOutOfTheLog(t *testing.T) {
	var log journal
	newVerifier(t, auth.Config{
		JWKSURL: "https://issuer.test/?secret=hunter2", Logger: log.logger(),
		HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("connection refused")
		})},
	})
	if !strings.Contains(log.String(), "connection refused") || strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log: %s", log.String())
	}
}

// A bad answer must leave the keys that are there.
func TestJWKSBadAnswersChangeNothing(t *testing.T) {
	tests := []struct {
		name   string
		answer func(*http.Request) *http.Response
		cause  string
	}{
		{"not found", status(http.StatusNotFound), "status 404"},
		{"no content", status(http.StatusNoContent), "status 204"},
		{"not JSON", body("<html>"), "not a JSON object"},
		{"cut off", body(`{"keys":[`), "not a JSON object"},
		{"keys twice", body(`{"keys":[],"keys":[]}`), "not a JSON object"},
		{"an error object", body(`{"error":"x"}`), "not a list"},
		{"a key that is in no set", body(elliptic().PublicJWK()), "not a list"},
		{"keys not a list", body(`{"keys":{}}`), "not a list"},
		{"over 256 KB", body(`{"keys":[],"x":"` + strings.Repeat("x", 256<<10) + `"}`), "more than 262144 bytes"},
		{"over 100 keys", body(`{"keys":[{}` + strings.Repeat(",{}", 100) + `]}`), "more than 100 keys"},
		{"a redirect", func(*http.Request) *http.Response {
			r := status(http.StatusFound)(nil)
			r.Header = http.Header{"Location": {"https://attacker.test/jwks.json"}}
			return r
		}, "redirects are not followed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				issuer := authtest.NewIssuer(ours())
				cfg := issued(issuer)
				var log journal
				cfg.Logger = log.logger()
				cfg.JWKSURL += "?secret=hunter2"
				broken := false
				cfg.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					if r.URL.Host != "issuer.test" {
						t.Errorf("%s was asked", r.URL.Host)
					}
					if broken {
						return tt.answer(r), nil
					}
					return issuer.Client().Transport.RoundTrip(r)
				})}
				v := newVerifier(t, cfg)
				broken = true
				time.Sleep(16 * time.Minute)
				mustAdmit(t, v, issuer.Sign(alice()), "the key at hand")
				if s := v.KeyStats(); s.Fetches != 2 || s.Failures != 1 {
					t.Errorf("stats are %+v", s)
				}
				if !strings.Contains(log.String(), tt.cause) || strings.Contains(log.String(), "hunter2") {
					t.Errorf("the log: %s", log.String())
				}
			})
		})
	}
}

func TestJWKSBadKeysAreLeftOutAndTheOthersCount(t *testing.T) {
	good := strings.TrimSuffix(strings.TrimPrefix(authtest.JWKS(ours()), `{"keys":[`), "]}")
	for name, bad := range map[string]string{
		"unknown type": `{"kty":"AKP","kid":"x"}`,
		"weak":         weakJWK(),
		"private":      `{"kty":"RSA","d":"AQAB","n":"AQAB","e":"AQAB"}`,
		"symmetric":    `{"kty":"oct","k":"AQAB"}`,
		"encryption":   `{"use":"enc","kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"not a key":    `[]`,
		"no numbers":   `{"kty":"EC","crv":"P-256"}`,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := strict(ours())
			cfg.PublicKey, cfg.JWKSURL = "", "https://issuer.test/"
			cfg.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				return body(`{"keys":[` + bad + `,` + good + `]}`)(r), nil
			})}
			v := newVerifier(t, cfg)
			mustAdmit(t, v, ours().Sign(alice()), "the good key")
			if s := v.KeyStats(); s.Keys != 1 {
				t.Errorf("stats are %+v", s)
			}
		})
	}
}

func TestJWKSEmptyMeansAllWithdrawn(t *testing.T) {
	cfg := strict(ours())
	cfg.PublicKey, cfg.JWKSURL = "", "https://issuer.test/"
	cfg.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) { return body(`{"keys":[]}`)(r), nil })}
	mustFail(t, newVerifier(t, cfg), ours().Sign(alice()), "no key left", auth.ErrKeyUnknown)
}

func TestJWKSIsNotAskedForAConfiguredKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		issuer := authtest.NewIssuer(ours())
		issuer.Fail(http.StatusInternalServerError)
		cfg := issued(issuer)
		cfg.PublicKey = next().PublicJWK()
		v := newVerifier(t, cfg)
		time.Sleep(time.Hour)
		mustAdmit(t, v, next().Sign(alice()), "the configured key, the issuer down")
		mustFail(t, v, theirs().Sign(alice(), authtest.WithHeader("kid", next().ID())), "a forgery of it", auth.ErrSignature)
		mustHaveAsked(t, issuer, 1, "in all")
		issuer.Fail(0)
		mustAdmit(t, v, issuer.Sign(alice()), "the issuer's key")
	})
}

func TestJWKSPlainHTTPIsTakenFromThisMachineOnly(t *testing.T) {
	issuer := authtest.NewIssuer(ours())
	for _, url := range []string{"http://localhost:1/jwks.json", "http://127.0.0.2/", "http://[::1]:1/"} {
		var log journal
		cfg := issued(issuer)
		cfg.JWKSURL, cfg.Logger = url, log.logger()
		mustAdmit(t, newVerifier(t, cfg), issuer.Sign(alice()), url)
		if !strings.Contains(log.String(), "plain http") {
			t.Errorf("%s: no warning: %s", url, log.String())
		}
	}
}

func TestJWKSTokenWithoutKeyIDTriesAFewKeys(t *testing.T) {
	set := func(n int) string {
		keys := make([]*authtest.Key, n)
		for i := range keys {
			keys[i] = authtest.NewKeyFor("ES256")
		}
		return authtest.JWKS(append(keys, elliptic())...)
	}
	cfg := strict(elliptic())
	token := elliptic().Sign(alice(), authtest.WithHeader("kid", nil))
	cfg.PublicKey = set(7)
	mustAdmit(t, newVerifier(t, cfg), token, "the eighth of eight keys")
	cfg.PublicKey = set(8)
	mustFail(t, newVerifier(t, cfg), token, "the ninth of nine", auth.ErrKeyUnknown)
	mustAdmit(t, newVerifier(t, cfg), elliptic().Sign(alice()), "the ninth of nine, named")
}

// slow delays the issuer's answers, and is cut off by the request's context.
func slow(issuer *authtest.Issuer, d time.Duration) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return issuer.Client().Transport.RoundTrip(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	})}
}

func status(code int) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody, Request: r}
	}
}

func body(text string) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}
	}
}

// weakJWK is an RSA key of 1,024 bits.
func weakJWK() string {
	n := strings.Repeat("\xff", 128)
	return `{"kty":"RSA","e":"AQAB","n":"` + base64.RawURLEncoding.EncodeToString([]byte(n)) + `"}`
}
