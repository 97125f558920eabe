package auth

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// Verifier verifies tokens. It is safe for concurrent use and holds nothing
// that must be closed.
type Verifier struct {
	issuers, audiences, tenants   []string
	tenantClaim, permissionsClaim string

	accepted []jwa.SignatureAlgorithm
	static   keyring     // of Config.PublicKey
	remote   *remoteKeys // of Config.JWKSURL, nil without one
	logger   *slog.Logger
}

// NewVerifier returns a *ConfigError that names the environment variable at
// fault for a setting that is missing or malformed.
//
// It fetches JWKSURL, for at most three seconds. That the issuer is down is not
// an error: a restart would not mend it. Verify tries again.
func NewVerifier(ctx context.Context, cfg Config) (*Verifier, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	v := &Verifier{
		issuers: slices.Clone(cfg.Issuers), audiences: slices.Clone(cfg.Audiences), tenants: slices.Clone(cfg.AllowedTenants),
		tenantClaim: cfg.TenantClaim, permissionsClaim: cfg.PermissionsClaim,
		logger: cfg.Logger,
	}
	for _, name := range cfg.Algorithms {
		v.accepted = append(v.accepted, jwa.SignatureAlgorithm(name))
	}
	if strings.TrimSpace(cfg.PublicKey) != "" {
		ring, err := parseKeyText(cfg.PublicKey, v.accepted)
		if err != nil {
			return nil, configErrorf("JWT_PUBLIC_KEY", "%v", err)
		}
		v.static = ring
	}
	cfg.warn(ctx)
	if cfg.JWKSURL != "" {
		v.remote = newRemoteKeys(cfg, v.accepted)
		v.remote.refresh(ctx, "")
	}
	return v, nil
}

// Verify admits a token or says why not, by one of the package's sentinels as
// it is, which errors.Is, Code and Message read. The cause, the kid and the
// issuer of a refusal go to the log.
//
// It uses the network only if the key is not at hand or too old, and then waits
// for at most three seconds.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	t, r := parseCompact(token)
	if r == nil {
		r = v.verifySignature(ctx, t)
	}
	var id Identity
	if r == nil {
		// The wall clock: exp is a date, and Lambda may have been frozen.
		id, r = v.identity(t.claims, wallClock())
	}
	if r != nil {
		v.log(ctx, t, r)
		return Identity{}, r.err
	}
	return id, nil
}

// KeyStats tells how keys of Config.JWKSURL were fetched; all zero without one.
func (v *Verifier) KeyStats() KeyStats {
	if v.remote == nil {
		return KeyStats{}
	}
	return v.remote.snapshot()
}

func (v *Verifier) verifySignature(ctx context.Context, t compact) *refused {
	if !slices.Contains(v.accepted, t.algorithm) {
		return refuse(ErrAlgorithm, "alg is not in JWT_ALGORITHMS")
	}
	r := v.static.verify(t)
	if r == nil || v.remote == nil || v.static.has(t.keyID) {
		return r
	}
	ring, unavailable := v.remote.find(ctx, t.keyID)
	if unavailable != nil {
		return unavailable
	}
	return ring.verify(t)
}

func (v *Verifier) log(ctx context.Context, t compact, r *refused) {
	level := slog.LevelInfo
	if errors.Is(r.err, ErrKeysUnavailable) {
		level = slog.LevelError
	}
	v.logger.LogAttrs(ctx, level, "token refused",
		slog.String("code", Code(r.err)), slog.String("cause", r.cause),
		slog.String("kid", t.keyID), slog.String("issuer", claimedIssuer(t.claims)))
}

// claimedIssuer is what the token says, which need not be true.
func claimedIssuer(claims object) string {
	issuer, _, ok := claims.text("iss")
	if !ok || !plain(issuer, maxLoggedIssuer) {
		return ""
	}
	return issuer
}

const maxLoggedIssuer = 256
