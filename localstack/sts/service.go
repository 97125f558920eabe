// Package sts is the token service of the local cloud: it says who a caller is
// and issues the temporary credentials that functions run with.
//
// Terraform asks it first of all, for the account's number. Every function gets
// its AWS_ACCESS_KEY_ID and session token from Issue, and whoever must know
// which role signed a request asks Lookup.
//
//	s := sts.New(sts.Options{})
//	creds := s.Issue("arn:aws:iam::000000000000:role/connect", "connect", time.Hour)
//	who, ok := s.Lookup(creds.AccessKeyID)
//	fmt.Println(ok, who.ARN) // true arn:aws:sts::000000000000:assumed-role/connect/connect
//
// Everybody whose key this service did not issue is the user "deployer": a local
// cloud has no list of long-term keys, and any dummy pair will do.
//
// What it does not promise: it checks no signature and evaluates no policies; what
// a session may do, and whether it may assume another role, its caller's
// Authorizer decides. Managed session policies, session tags, external ids, MFA,
// federation and GetSessionToken are refused.
package sts

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
)

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// Options configures a Service. The zero value is ready to use.
type Options struct {
	Clock  *clock.Clock // nil: real time
	Logger *slog.Logger // nil: nothing is logged
	// RoleExists tells AssumeRole whether there is such a role; others are
	// refused with AccessDenied. nil: every role exists. It must not call back
	// into this service.
	RoleExists func(arn string) bool
}

// Service is the token service. It is safe for concurrent use.
type Service struct {
	api        awsproto.Query
	clock      *clock.Clock
	log        *slog.Logger
	roleExists func(arn string) bool

	mu    sync.Mutex
	state state
}

// New returns a service that has issued nothing yet.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = clock.New()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.RoleExists == nil {
		o.RoleExists = func(string) bool { return true }
	}
	s := &Service{
		clock: o.Clock, log: o.Logger, roleExists: o.RoleExists,
		state: state{Sessions: make(map[string]session)},
	}
	s.api = awsproto.Query{Namespace: namespace, Operations: s.operations()}
	return s
}

// ServeHTTP answers one call of the STS API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.api.ServeHTTP(w, r) }

// Issue makes credentials for a session of the role, valid for ttl of the
// cloud's time. It does not ask whether the role exists.
func (s *Service) Issue(roleARN, sessionName string, ttl time.Duration) Credentials {
	return s.issue(session{RoleARN: roleARN, SessionName: sessionName}, ttl).Credentials
}

// IssueTo is Issue for a Lambda function, whose name its session has.
func (s *Service) IssueTo(functionARN, roleARN string, ttl time.Duration) Credentials {
	name := functionARN[strings.LastIndexByte(functionARN, ':')+1:]
	return s.issue(session{RoleARN: roleARN, SessionName: name, Function: functionARN}, ttl).Credentials
}

func (s *Service) issue(se session, ttl time.Duration) Identity {
	s.mu.Lock()
	who := s.state.add(se, s.clock.Now(), ttl).identity()
	s.mu.Unlock()
	s.log.Debug("credentials issued", "identity", who)
	return who
}

// Lookup finds the identity behind an access key id that this service issued,
// with its secrets for checking a signature. Expired credentials are found for
// another hour, so that the caller can tell ExpiredToken from
// InvalidClientTokenId: ask Identity.Expired.
func (s *Service) Lookup(accessKeyID string) (Identity, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	se, ok := s.state.Sessions[accessKeyID]
	if !ok || s.clock.Since(se.Expires) > remembered {
		return Identity{}, false
	}
	return se.identity(), true
}

// Snapshot returns all sessions as JSON. It holds their secrets: treat it as
// one.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.state)
}

// Restore replaces all sessions by a snapshot. A broken one is refused and
// changes nothing.
func (s *Service) Restore(snapshot []byte) error {
	st, err := decodeState(snapshot)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = st
	return nil
}

// Close ends the service. It holds nothing that needs to be released.
func (s *Service) Close() error { return nil }
