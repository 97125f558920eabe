// Package config reads a function's environment into a struct, once, at its
// start. A variable that is missing or malformed ends the function there with
// one line that names it, not at the first message.
//
//	cfg, err := config.Connect(os.LookupEnv)
//	if err != nil {
//		log.Fatal(err) // "TABLE_NAME is not set; JWT_ALGORITHMS: …"
//	}
//
// The variables are those of the Terraform root module, which sets them.
// Values of secrets are never part of an error.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Lookup finds a variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// ConnectFunction configures functions/connect.
type ConnectFunction struct {
	TableName     string
	ConnectionTTL time.Duration
	JWT           JWT
	LogLevel      slog.Level
}

// MessageFunction configures functions/message.
type MessageFunction struct {
	TableName         string
	WebSocketEndpoint string
	BroadcastQueueURL string
	ConnectionTTL     time.Duration
	ConnectionLimit   int // broadcasts a second of one connection; 0 is no limit
	TenantLimit       int // and of one tenant
	JWT               JWT
	LogLevel          slog.Level
}

// BroadcastFunction configures functions/broadcast.
type BroadcastFunction struct {
	TableName         string
	WebSocketEndpoint string
	BroadcastQueueURL string
	DeliveryQueueURL  string
	PostRate          float64 // posts per second of one sender while it sends
	DirectRate        float64 // and in the long run: what is over it is for the deliver function
	LogLevel          slog.Level
}

// DeliverFunction configures functions/deliver.
type DeliverFunction struct {
	TableName         string
	WebSocketEndpoint string
	DeliveryQueueURL  string
	PostRate          float64 // posts per second of one sender
	LogLevel          slog.Level
}

// DisconnectFunction configures functions/disconnect.
type DisconnectFunction struct {
	TableName string
	LogLevel  slog.Level
}

// JWT says whose tokens are admitted, as auth.ConfigOf takes it. It is no
// auth.Config, because functions that verify no token are not to link what
// verification needs, which would be initialised at each of their starts.
type JWT struct {
	PublicKey, JWKSURL             string
	Issuers, Audiences, Algorithms []string
	TenantClaim, PermissionsClaim  string
	AllowedTenants                 []string
}

// Connect reads functions/connect's environment.
func Connect(lookup Lookup) (ConnectFunction, error) {
	e := env{lookup: lookup}
	c := ConnectFunction{TableName: e.required("TABLE_NAME"), ConnectionTTL: e.ttl(), JWT: e.jwt(), LogLevel: e.level()}
	return c, e.err()
}

// Message reads functions/message's environment.
func Message(lookup Lookup) (MessageFunction, error) {
	e := env{lookup: lookup}
	c := MessageFunction{
		TableName: e.required("TABLE_NAME"), WebSocketEndpoint: e.url("WEBSOCKET_ENDPOINT"),
		BroadcastQueueURL: e.url("BROADCAST_QUEUE_URL"), ConnectionTTL: e.ttl(), JWT: e.jwt(), LogLevel: e.level(),
		ConnectionLimit: e.limit("CONNECTION_BROADCAST_LIMIT", 20), TenantLimit: e.limit("TENANT_BROADCAST_LIMIT", 80),
	}
	return c, e.err()
}

// Broadcast reads functions/broadcast's environment.
func Broadcast(lookup Lookup) (BroadcastFunction, error) {
	e := env{lookup: lookup}
	c := BroadcastFunction{
		TableName: e.required("TABLE_NAME"), WebSocketEndpoint: e.url("WEBSOCKET_ENDPOINT"),
		BroadcastQueueURL: e.url("BROADCAST_QUEUE_URL"), DeliveryQueueURL: e.url("DELIVERY_QUEUE_URL"),
		PostRate: e.rate("POST_RATE", 1), DirectRate: e.rate("DIRECT_RATE", 0), LogLevel: e.level(),
	}
	return c, e.err()
}

// Deliver reads functions/deliver's environment.
func Deliver(lookup Lookup) (DeliverFunction, error) {
	e := env{lookup: lookup}
	c := DeliverFunction{
		TableName: e.required("TABLE_NAME"), WebSocketEndpoint: e.url("WEBSOCKET_ENDPOINT"),
		DeliveryQueueURL: e.url("DELIVERY_QUEUE_URL"), PostRate: e.rate("POST_RATE", 1), LogLevel: e.level(),
	}
	return c, e.err()
}

// Disconnect reads functions/disconnect's environment.
func Disconnect(lookup Lookup) (DisconnectFunction, error) {
	e := env{lookup: lookup}
	c := DisconnectFunction{TableName: e.required("TABLE_NAME"), LogLevel: e.level()}
	return c, e.err()
}

// env reads variables and gathers what is wrong with them.
type env struct {
	lookup Lookup
	wrong  []error
}

// err is one line with all that is wrong, or nil.
func (e *env) err() error {
	if len(e.wrong) == 0 {
		return nil
	}
	lines := make([]string, len(e.wrong))
	for i, err := range e.wrong {
		lines[i] = err.Error()
	}
	return errors.New("environment: " + strings.Join(lines, "; "))
}

func (e *env) fail(format string, args ...any) {
	e.wrong = append(e.wrong, fmt.Errorf(format, args...))
}

func (e *env) optional(name, fallback string) string {
	if v, ok := e.lookup(name); ok && strings.TrimSpace(v) != "" {
		return v
	}
	return fallback
}

func (e *env) required(name string) string {
	v := e.optional(name, "")
	if v == "" {
		e.fail("%s is not set", name)
	}
	return v
}

func (e *env) url(name string) string {
	v := e.required(name)
	u, err := url.Parse(v)
	if v != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		e.fail("%s must be an http or https URL", name)
	}
	return v
}

// list splits at commas and drops what is empty.
func (e *env) list(name, fallback string) []string {
	var list []string
	for v := range strings.SplitSeq(e.optional(name, fallback), ",") {
		if v = strings.TrimSpace(v); v != "" {
			list = append(list, v)
		}
	}
	return list
}

func (e *env) ttl() time.Duration {
	const name = "CONNECTION_TTL"
	d, err := time.ParseDuration(e.optional(name, "24h"))
	if err != nil || d < time.Minute || d > 30*24*time.Hour {
		e.fail("%s must be a duration between 1m and 720h, such as 24h", name)
	}
	return d
}

func (e *env) rate(name string, least float64) float64 {
	r, err := strconv.ParseFloat(e.required(name), 64)
	if err != nil || !(r >= least && r <= 100000) {
		e.fail("%s must be a number of posts per second between %g and 100000", name, least)
	}
	return r
}

// limit is a number of broadcasts a second.
func (e *env) limit(name string, fallback int) int {
	n, err := strconv.Atoi(e.optional(name, strconv.Itoa(fallback)))
	if err != nil || n < 0 || n > 10000 {
		e.fail("%s must be a number of broadcasts a second between 0 (no limit) and 10000", name)
	}
	return n
}

func (e *env) level() slog.Level {
	const name = "LOG_LEVEL"
	var l slog.Level
	if err := l.UnmarshalText([]byte(e.optional(name, "INFO"))); err != nil {
		e.fail("%s must be DEBUG, INFO, WARN or ERROR", name)
	}
	return l
}

func (e *env) jwt() JWT {
	j := JWT{
		PublicKey: e.optional("JWT_PUBLIC_KEY", ""), JWKSURL: e.optional("JWT_JWKS_URL", ""),
		Issuers: e.list("JWT_ISSUER", ""), Audiences: e.list("JWT_AUDIENCE", ""),
		Algorithms:       e.list("JWT_ALGORITHMS", "RS256"),
		TenantClaim:      e.optional("JWT_TENANT_CLAIM", "tenant_id"),
		PermissionsClaim: e.optional("JWT_PERMISSIONS_CLAIM", "permissions"),
		AllowedTenants:   e.list("ALLOWED_TENANTS", ""),
	}
	if j.PublicKey == "" && j.JWKSURL == "" {
		e.fail("JWT_PUBLIC_KEY or JWT_JWKS_URL must be set")
	}
	return j
}
