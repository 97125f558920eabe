// Package iam is the identity service of the local cloud: roles with their
// trust, inline and attached policies, and managed policies with versions.
//
// It stands behind everything that Terraform builds: a function gets a role
// before it gets code, and what the role's policies say decides what the
// function may do. The service keeps and validates these documents and hands
// them out in parsed form; it evaluates none: the emulator does, by package policy.
//
//	s := iam.New(iam.Options{})
//	http.Handle("/", s) // Query protocol, version 2010-05-08
//	...
//	for _, doc := range s.Policies(roleARN) {
//		fmt.Println(doc.Name, doc.Statements)
//	}
//
// What it does not promise: users (GetUser knows only the deployer), groups,
// instance profiles, access keys and policy simulation are missing and answered
// with InvalidAction. Of AWS's own policies only those in managed.go exist.
// What a caller may do is its Authorizer's to say (package awsproto).
package iam

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
	iampolicy "fanfare/localstack/policy"
)

const namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// Options configures a Service. The zero value is ready to use.
type Options struct {
	Clock  *clock.Clock // nil: real time
	Logger *slog.Logger // nil: nothing is logged
	// Changed is called after every change of a role or policy, before whoever
	// made it has the answer. It may ask the service. nil: nobody is told.
	Changed func()
}

// Service is the identity service. It is safe for concurrent use.
type Service struct {
	api   awsproto.Query
	clock *clock.Clock
	log   *slog.Logger
	born  time.Time // when the account's one user was made

	changed func()

	mu    sync.Mutex
	state state
}

// New returns a service without roles and with AWS's own managed policies.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = clock.New()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	s := &Service{clock: o.Clock, log: o.Logger, changed: o.Changed, state: newState()}
	s.born = s.now()
	s.api = awsproto.Query{Namespace: namespace, Operations: s.telling(s.operations())}
	return s
}

// ServeHTTP answers one call of the IAM API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.api.ServeHTTP(w, r) }

// Snapshot returns all roles and own policies as JSON.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.state)
}

// Restore replaces everything by a snapshot. A broken one is refused and changes
// nothing.
func (s *Service) Restore(snapshot []byte) error {
	st, err := decodeState(snapshot)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.state = st
	s.mu.Unlock()
	s.changed()
	return nil
}

// Close ends the service. It holds nothing that needs to be released.
func (s *Service) Close() error { return nil }

// Role is what other services need to know of a role.
type Role struct {
	Name, ARN, ID string
	Trust         *iampolicy.Document // who may assume it
	// MaxSession is the longest session that AssumeRole may give, 1 h to 12 h.
	MaxSession time.Duration
	// Boundary is the permissions boundary's document, nil without one. Whatever
	// the policies allow, the role may do no more than this allows.
	Boundary *iampolicy.Document
}

// Role finds a role by its ARN or name. What it returns is a copy.
func (s *Service) Role(arnOrName string) (Role, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.find(arnOrName)
	if !ok {
		return Role{}, false
	}
	out := Role{
		Name: r.Name, ARN: r.ARN, ID: r.ID,
		Trust:      r.Trust.named(""),
		MaxSession: time.Duration(r.MaxSession) * time.Second,
	}
	if p, ok := s.state.lookupPolicy(r.Boundary); ok {
		out.Boundary = p.version(p.Default).Document.named(p.ARN)
	}
	return out, true
}

// RoleARNs lists all roles, in order.
func (s *Service) RoleARNs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	arns := make([]string, 0, len(s.state.Roles))
	for _, r := range s.state.Roles {
		arns = append(arns, r.ARN)
	}
	slices.Sort(arns)
	return arns
}

// Policies returns what the role is allowed and denied: its inline policies by
// name, then the default versions of its attached ones. An unknown role has
// none. The permissions boundary is not among them: see Role.
func (s *Service) Policies(roleARN string) []*iampolicy.Document {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.find(roleARN)
	if !ok {
		return nil
	}
	var docs []*iampolicy.Document
	for _, name := range slices.Sorted(maps.Keys(r.Inline)) {
		docs = append(docs, r.Inline[name].named(name))
	}
	for _, arn := range r.Attached {
		if p, ok := s.state.lookupPolicy(arn); ok {
			docs = append(docs, p.version(p.Default).Document.named(arn))
		}
	}
	return docs
}

// find takes an ARN only if it is the role's own: its path and account must be
// right too. s.mu is held.
func (s *Service) find(arnOrName string) (*role, bool) {
	name := arnOrName
	isARN := strings.HasPrefix(arnOrName, "arn:")
	if isARN {
		name = arnOrName[strings.LastIndex(arnOrName, "/")+1:]
	}
	r, ok := s.state.Roles[name]
	return r, ok && (!isARN || r.ARN == arnOrName)
}

// now is the time as IAM stores it: whole seconds of UTC.
func (s *Service) now() time.Time { return s.clock.Now().UTC().Truncate(time.Second) }
