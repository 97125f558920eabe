package auth

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"

	"fanfare/shared/config"
)

// Config says whose tokens are admitted. At least one of PublicKey and JWKSURL
// must be set; everything else has a default that works.
type Config struct {
	// PublicKey is the text of a PEM public key or certificate (several may
	// follow one another), of a JWK, or of a JWKS. A line break may be written
	// as \n, as environment files do. Private and symmetric keys, and RSA keys
	// under 2,048 bits, are refused. JWT_PUBLIC_KEY.
	PublicKey string

	// JWKSURL is where the issuer publishes its JWKS (RFC 7517), by https.
	// Redirects are not followed. Plain http, which hands the choice of keys to
	// anyone on the network's path, is taken only from an issuer on this very
	// machine (localhost or a loopback address), as local runs have. JWT_JWKS_URL.
	JWKSURL string

	// Issuers are the accepted values of iss. Empty accepts any issuer whose
	// key is known, and is warned of once. JWT_ISSUER.
	Issuers []string

	// Audiences are the accepted values of aud. Empty accepts a token that was
	// issued for another service, and is warned of once. JWT_AUDIENCE.
	Audiences []string

	// Algorithms may name RS, PS and ES 256, 384 and 512, and EdDSA. Default
	// RS256. Never none, nor HS*: a symmetric algorithm would take the public
	// key for a secret. JWT_ALGORITHMS.
	Algorithms []string

	// TenantClaim and PermissionsClaim name claims at the top level of the
	// payload. Defaults tenant_id and permissions. JWT_TENANT_CLAIM,
	// JWT_PERMISSIONS_CLAIM.
	TenantClaim, PermissionsClaim string

	// AllowedTenants are the tenants served here. Empty serves all.
	// ALLOWED_TENANTS.
	AllowedTenants []string

	// HTTPClient fetches JWKSURL. Default: a client that keeps no connection
	// open. Its CheckRedirect is replaced.
	HTTPClient *http.Client

	// OnStaleKeys, if set, is called in the request each time that JWKSURL could
	// not be fetched, to count it. age is how old the keys are that go on being
	// used, 0 when there are none. It may be called concurrently.
	OnStaleKeys func(ctx context.Context, age time.Duration)

	// Logger gets the cause, the kid and the issuer of each refusal, never the
	// token. Default: discard.
	Logger *slog.Logger
}

// ConfigOf returns the Config of a function's environment.
func ConfigOf(j config.JWT) Config {
	return Config{
		PublicKey: j.PublicKey, JWKSURL: j.JWKSURL, Issuers: j.Issuers, Audiences: j.Audiences, Algorithms: j.Algorithms,
		TenantClaim: j.TenantClaim, PermissionsClaim: j.PermissionsClaim, AllowedTenants: j.AllowedTenants,
	}
}

// algorithms are all that may ever be configured.
var algorithms = []jwa.SignatureAlgorithm{
	jwa.RS256, jwa.RS384, jwa.RS512,
	jwa.PS256, jwa.PS384, jwa.PS512,
	jwa.ES256, jwa.ES384, jwa.ES512,
	jwa.EdDSA,
}

func (c Config) withDefaults() Config {
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{jwa.RS256.String()}
	}
	if c.TenantClaim == "" {
		c.TenantClaim = "tenant_id"
	}
	if c.PermissionsClaim == "" {
		c.PermissionsClaim = "permissions"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func (c Config) validate() error {
	if strings.TrimSpace(c.PublicKey) == "" && c.JWKSURL == "" {
		return configErrorf("JWT_PUBLIC_KEY", "is missing, and JWT_JWKS_URL too: one of them must be set")
	}
	if err := c.validateLists(); err != nil {
		return err
	}
	if c.TenantClaim == c.PermissionsClaim {
		return configErrorf("JWT_PERMISSIONS_CLAIM", "must not be the same claim as JWT_TENANT_CLAIM")
	}
	return c.validateURL()
}

func (c Config) validateLists() error {
	for _, list := range []struct {
		variable string
		values   []string
	}{
		{"JWT_ISSUER", c.Issuers},
		{"JWT_AUDIENCE", c.Audiences},
		{"JWT_ALGORITHMS", c.Algorithms},
		{"JWT_TENANT_CLAIM", []string{c.TenantClaim}},
		{"JWT_PERMISSIONS_CLAIM", []string{c.PermissionsClaim}},
		{"ALLOWED_TENANTS", c.AllowedTenants},
	} {
		// Such an entry can match nothing, so it is a slip: splitting an empty
		// variable at commas gives one.
		if slices.ContainsFunc(list.values, func(s string) bool { return s == "" || s != strings.TrimSpace(s) }) {
			return configErrorf(list.variable, "has an entry that is empty or has spaces around it")
		}
	}
	for _, name := range c.Algorithms {
		if !slices.Contains(algorithms, jwa.SignatureAlgorithm(name)) {
			return configErrorf("JWT_ALGORITHMS", "%q is not accepted; RS, PS and ES 256, 384 and 512, and EdDSA are", name)
		}
	}
	return nil
}

func (c Config) validateURL() error {
	if c.JWKSURL == "" {
		return nil
	}
	// url.Parse's error quotes the URL, which may hold a password.
	u, err := url.Parse(c.JWKSURL)
	switch {
	case err != nil || u.Host == "":
		return configErrorf("JWT_JWKS_URL", "is not a URL")
	case u.User != nil || u.Fragment != "":
		return configErrorf("JWT_JWKS_URL", "must have neither a user nor a fragment")
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case u.Scheme != "https":
		return configErrorf("JWT_JWKS_URL", "must begin with https:// (http:// only on localhost)")
	}
	return nil
}

// isLoopback does not ask a resolver: what a name means is not for DNS to say.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// warn tells of settings that are allowed but open.
func (c Config) warn(ctx context.Context) {
	if len(c.Issuers) == 0 {
		c.Logger.WarnContext(ctx, "JWT_ISSUER is empty: tokens of any issuer that signs with a known key are admitted")
	}
	if len(c.Audiences) == 0 {
		c.Logger.WarnContext(ctx, "JWT_AUDIENCE is empty: tokens issued for other services are admitted")
	}
	if strings.HasPrefix(c.JWKSURL, "http:") {
		c.Logger.WarnContext(ctx, "JWT_JWKS_URL is plain http: for local runs only")
	}
}
