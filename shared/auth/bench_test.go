package auth_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

// maxRatio is what verification may cost, in bare checks of the same signature.
const maxRatio = 2.3

// BenchmarkVerify reports how many times as long Verify takes as the bare
// rsa.VerifyPKCS1v15 of the same token, and how often it used the network. It
// fails above maxRatio and at the first fetch.
func BenchmarkVerify(b *testing.B) {
	issuer := authtest.NewIssuer(ours())
	for name, cfg := range map[string]auth.Config{"key": strict(ours()), "jwks": issued(issuer)} {
		b.Run(name, func(b *testing.B) {
			v, token := newVerifier(b, cfg), issuer.Sign(alice())
			check := bareCheck(b, token)
			asked := issuer.Fetches()
			verify := func() {
				if _, err := v.Verify(context.Background(), token); err != nil {
					b.Fatal(err)
				}
			}
			// Turns are taken often, so that both meet the same noise; the
			// quickest turn of each is compared.
			const turn = 50
			var whole, bare time.Duration
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				verify()
				if i%turn == 0 {
					b.StopTimer()
					whole, bare = quickest(whole, turn, verify), quickest(bare, turn, check)
					b.StartTimer()
				}
			}
			ratio := float64(whole) / float64(bare)
			b.ReportMetric(ratio, "x-bare-rsa")
			b.ReportMetric(float64(issuer.Fetches()-asked)/float64(b.N), "fetches/op")
			if ratio > maxRatio {
				b.Errorf("verification costs %.2f times a bare signature check, at most %.1f is allowed", ratio, maxRatio)
			}
			if issuer.Fetches() != asked {
				b.Error("the network was used for a known key")
			}
		})
	}
}

// quickest returns the lesser of best, if it is set, and the time that n calls
// of f take.
func quickest(best time.Duration, n int, f func()) time.Duration {
	begun := time.Now()
	for range n {
		f()
	}
	if took := time.Since(begun); best == 0 || took < best {
		return took
	}
	return best
}

// bareCheck is the cryptography alone: hash and signature.
func bareCheck(b *testing.B, token string) func() {
	b.Helper()
	end := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[end+1:])
	if err != nil {
		b.Fatal(err)
	}
	public, signed := ours().Public().(*rsa.PublicKey), []byte(token[:end])
	return func() {
		sum := sha256.Sum256(signed)
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRefuse is what a forged token costs us: an attacker must not be able
// to make it cost more than an honest one.
func BenchmarkRefuse(b *testing.B) {
	v := newVerifier(b, strict(ours()))
	for name, token := range map[string]string{
		"forged":      theirs().Sign(alice(), authtest.WithHeader("kid", ours().ID())),
		"unknown key": theirs().Sign(alice()),
		"8 KB of dot": strings.Repeat(".", auth.MaxToken),
		"8 KB of [":   ours().SignRaw(`{"alg":"RS256"}`, strings.Repeat("[", 5<<10), "RS256"),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := v.Verify(context.Background(), token); err == nil {
					b.Fatal("admitted")
				}
			}
		})
	}
}
