package lambda

import (
	"encoding/json"
	"maps"
	"strconv"
	"time"

	"fanfare/localstack/awsproto"
)

// function is all that is known of one function. Service.mu guards it.
type function struct {
	ARN           string
	Latest        *version
	Published     []*version // ascending; deleted ones are missing
	NextVersion   int
	Aliases       map[string]*aliasConfiguration
	Policies      map[string]*policy            // by qualifier; "" is the unqualified function
	InvokeConfigs map[string]*eventInvokeConfig // by qualifier, $LATEST included
	Reserved      *int
	RecursiveLoop string // loopAllow or loopTerminate; "" means loopTerminate
	Tags          map[string]string

	running int // invokes under way
}

// version is one immutable state of a function's configuration and code.
// A change of $LATEST replaces it by another.
type version struct {
	Config functionConfiguration
	Code   *archive `json:"-"`
	CodeID string   // its sha256 in base64, by which a snapshot refers to it
}

type mapping struct {
	mappingConfiguration
	Region  string
	Enabled bool
	Tags    map[string]string
}

func newFunction(arn string, v *version, tags map[string]string) *function {
	return &function{
		ARN: arn, Latest: v, NextVersion: 1,
		Aliases:       map[string]*aliasConfiguration{},
		Policies:      map[string]*policy{},
		InvokeConfigs: map[string]*eventInvokeConfig{},
		Tags:          copyTags(tags),
	}
}

func copyTags(tags map[string]string) map[string]string {
	c := make(map[string]string, len(tags))
	maps.Copy(c, tags)
	return c
}

// next returns a copy of v to change: with a revision of its own.
func (v *version) next(now time.Time) *version {
	n := *v
	n.Config.RevisionId = awsproto.NewRequestID()
	n.Config.LastModified = lastModified(now)
	return &n
}

// setCode puts a checked package into v.
func (v *version) setCode(a *archive) {
	v.Code, v.CodeID = a, a.sha256
	v.Config.CodeSha256 = a.sha256
	v.Config.CodeSize = a.zip.Size()
}

// published returns the version with that number, nil if there is none.
func (f *function) published(number string) *version {
	for _, v := range f.Published {
		if v.Config.Version == number {
			return v
		}
	}
	return nil
}

// versionOf resolves $LATEST or a number; nil if there is none.
func (f *function) versionOf(qualifier string) *version {
	if qualifier == "" || qualifier == latest {
		return f.Latest
	}
	return f.published(qualifier)
}

// resolve is versionOf, aliases included. random in [0,1) picks among the
// versions of an alias that splits its traffic.
func (f *function) resolve(qualifier string, random float64) (*version, error) {
	if v := f.versionOf(qualifier); v != nil {
		return v, nil
	}
	a, ok := f.Aliases[qualifier]
	if !ok {
		return nil, noSuchFunction(qualify(f.ARN, qualifier))
	}
	if a.RoutingConfig != nil {
		for number, weight := range a.RoutingConfig.AdditionalVersionWeights {
			if random < weight {
				return f.published(number), nil
			}
			random -= weight
		}
	}
	return f.versionOf(a.FunctionVersion), nil
}

// versions returns $LATEST and then the published ones.
func (f *function) versions() []*version {
	return append([]*version{f.Latest}, f.Published...)
}

func (f *function) name() string { return f.Latest.Config.FunctionName }

// lookup returns the function that ref names. s.mu is held.
func (s *Service) lookup(ref reference) (*function, error) {
	f, ok := s.functions[ref.arn()]
	if !ok {
		return nil, noSuchFunction(ref.qualified())
	}
	return f, nil
}

// publish makes $LATEST a version, or returns the last one when nothing has
// changed since. s.mu is held.
func (s *Service) publish(f *function, description *string) *version {
	if n := len(f.Published); n > 0 {
		last := f.Published[n-1]
		if sameBehaviour(last, f.Latest) && (description == nil || *description == last.Config.Description) {
			return last
		}
	}
	v := f.Latest.next(s.clock.Now())
	v.Config.Version = strconv.Itoa(f.NextVersion)
	if description != nil {
		v.Config.Description = *description
	}
	f.NextVersion++
	f.Published = append(f.Published, v)
	return v
}

// sameBehaviour compares all that a caller of two versions could notice.
func sameBehaviour(a, b *version) bool {
	return a.CodeID == b.CodeID && a.behaviour() == b.behaviour()
}

func (v *version) behaviour() string {
	c := v.Config
	c.Version, c.RevisionId, c.LastModified, c.Description = "", "", "", ""
	text, _ := json.Marshal(c)
	return string(text)
}
