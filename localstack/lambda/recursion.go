package lambda

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fanfare/localstack/awsproto"
)

// Recursive loops (developer guide, "Use Lambda recursive loop detection"). The
// trace header says how often each function has already run in a chain of
// requests: Lambda adds to its Lineage, the SDK inside the function passes the
// header on (_X_AMZN_TRACE_ID becomes X-Amzn-Trace-Id), SQS keeps it with the
// message as AWSTraceHeader, and the next invoke finds it there.
//
//	Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage=a87bd80c:1|68fd508a:5

// maxHops is how often a function may run in one chain.
const maxHops = 16

// maxLineage bounds how many functions are remembered: the earliest are
// forgotten first.
const maxLineage = 32

const (
	loopTerminate = "Terminate"
	loopAllow     = "Allow"
)

// hop is a function, as the first 8 hex digits of a hash, and how often it ran.
type hop struct {
	function string
	count    int
}

func hopName(functionARN string) string {
	sum := sha256.Sum256([]byte(functionARN))
	return hex.EncodeToString(sum[:4])
}

// lineage reads the hops of a trace header. What is malformed counts as absent.
func lineage(traceID string) []hop {
	var hops []hop
	for part := range strings.SplitSeq(traceID, ";") {
		value, ok := strings.CutPrefix(part, "Lineage=")
		if !ok {
			continue
		}
		if plain, err := url.PathUnescape(value); err == nil { // SDKs send the bar as %7C
			value = plain
		}
		for text := range strings.SplitSeq(value, "|") {
			name, count, _ := strings.Cut(text, ":")
			if n, err := strconv.Atoi(count); err == nil && n > 0 && n <= 1<<20 && len(name) == 8 {
				hops = append(hops, hop{name, n})
			}
		}
	}
	return hops[max(0, len(hops)-maxLineage):]
}

// hopsOf returns how often a function has run in the chain of a trace header.
func hopsOf(traceID, functionARN string) int {
	name, n := hopName(functionARN), 0
	for _, h := range lineage(traceID) {
		if h.function == name {
			n = max(n, h.count)
		}
	}
	return n
}

// withHop returns the trace header with one more run of a function.
func withHop(traceID, functionARN string) string {
	var parts []string
	for part := range strings.SplitSeq(traceID, ";") {
		if part != "" && !strings.HasPrefix(part, "Lineage=") {
			parts = append(parts, part)
		}
	}
	name := hopName(functionARN)
	hops := slices.DeleteFunc(lineage(traceID), func(h hop) bool { return h.function == name })
	hops = append(hops, hop{name, hopsOf(traceID, functionARN) + 1})
	return strings.Join(append(parts, "Lineage="+lineageText(hops)), ";")
}

// refusesHop reports whether an invoke with that trace header would be one too
// many. Service.mu is held.
func (f *function) refusesHop(traceID string) bool {
	return f.RecursiveLoop != loopAllow && hopsOf(traceID, f.ARN) >= maxHops
}

// Lineage returns how often each function has run in the chain of requests that
// a trace header belongs to, in a form that is equal for equal counts; "" for
// none. refused means that the next invoke of a function in it is answered with
// RecursiveInvocationException. An event source asks before it makes a batch.
func (s *Service) Lineage(functionARN, traceID string) (counts string, refused bool) {
	counts = lineageText(lineage(traceID))
	ref, err := s.parse(functionARN)
	if err != nil {
		return counts, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.lookup(ref)
	if err != nil {
		return counts, false
	}
	return counts, f.refusesHop(traceID)
}

// lineageText writes hops as the trace header has them.
func lineageText(hops []hop) string {
	parts := make([]string, len(hops))
	for i, h := range hops {
		parts[i] = h.function + ":" + strconv.Itoa(h.count)
	}
	return strings.Join(parts, "|")
}

type recursionConfig struct {
	RecursiveLoop string
}

func (s *Service) putRecursionConfig(r *http.Request) (int, any, error) {
	var in recursionConfig
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	if err := oneOf(in.RecursiveLoop, "recursiveLoop", loopAllow, loopTerminate); err != nil {
		return 0, nil, err
	}
	out, err := s.withUnqualified(r, func(f *function) any {
		f.RecursiveLoop = in.RecursiveLoop
		return in
	})
	return http.StatusOK, out, err
}

func (s *Service) getRecursionConfig(r *http.Request) (int, any, error) {
	out, err := s.withUnqualified(r, func(f *function) any {
		if f.RecursiveLoop == "" {
			return recursionConfig{loopTerminate}
		}
		return recursionConfig{f.RecursiveLoop}
	})
	return http.StatusOK, out, err
}

// withUnqualified is withFunction for what a function has as a whole.
func (s *Service) withUnqualified(r *http.Request, do func(*function) any) (any, error) {
	return s.withFunction(r, func(ref reference, f *function) (any, error) {
		if ref.qualifier != "" {
			return nil, invalidParameter("The recursion configuration belongs to the function, not to %s: name it without a qualifier.", ref.qualifier)
		}
		return do(f), nil
	})
}
