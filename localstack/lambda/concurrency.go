package lambda

import (
	"net/http"

	"fanfare/localstack/awsproto"
)

// unreservedMinimum is what reservations must leave to all other functions.
const unreservedMinimum = 100

func (s *Service) putConcurrency(r *http.Request) (int, any, error) {
	var in concurrency
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	if in.ReservedConcurrentExecutions == nil || *in.ReservedConcurrentExecutions < 0 {
		return 0, nil, constraint("null", "reservedConcurrentExecutions", "Member must have value greater than or equal to 0")
	}
	out, err := s.withFunction(r, func(_ reference, f *function) (any, error) {
		wanted := *in.ReservedConcurrentExecutions
		rest := s.unreserved() - wanted
		if f.Reserved != nil {
			rest += *f.Reserved
		}
		// Reserving nothing takes nothing away: it only switches a function off.
		if wanted > 0 && rest < unreservedMinimum {
			return nil, invalidParameter("Specified ReservedConcurrentExecutions for function decreases account's "+
				"UnreservedConcurrentExecution below its minimum value of [%d].", unreservedMinimum)
		}
		s.reserve(f, &wanted)
		return concurrency{f.Reserved}, nil
	})
	return http.StatusOK, out, err
}

func (s *Service) getConcurrency(r *http.Request) (int, any, error) {
	out, err := s.withFunction(r, func(_ reference, f *function) (any, error) { return concurrency{f.Reserved}, nil })
	return http.StatusOK, out, err
}

func (s *Service) deleteConcurrency(r *http.Request) (int, any, error) {
	_, err := s.withFunction(r, func(_ reference, f *function) (any, error) {
		s.reserve(f, nil)
		return nil, nil
	})
	return http.StatusNoContent, nil, err
}

// unreserved is what the account has left beside all reservations. s.mu is held.
func (s *Service) unreserved() int {
	n := s.opts.Concurrency
	for _, f := range s.functions {
		if f.Reserved != nil {
			n -= *f.Reserved
		}
	}
	return n
}

// reserve moves f's running invokes to the side that counts them from now on.
// s.mu is held.
func (s *Service) reserve(f *function, n *int) {
	switch {
	case f.Reserved == nil && n != nil:
		s.running -= f.running
	case f.Reserved != nil && n == nil:
		s.running += f.running
	}
	f.Reserved = n
}

// acquire counts an invoke of f, or says why it is one too many. s.mu is held.
func (s *Service) acquire(f *function) error {
	if f.Reserved != nil {
		if f.running >= *f.Reserved {
			return throttled(reservedLimitReached)
		}
		f.running++
		return nil
	}
	if s.running >= s.unreserved() {
		return throttled(accountLimitReached)
	}
	s.running++
	f.running++
	return nil
}

// forget takes f and its running invokes out of the books. s.mu is held.
func (s *Service) forget(f *function) {
	delete(s.functions, f.ARN)
	if f.Reserved == nil {
		s.running -= f.running
	}
}

// release undoes acquire. A function that was deleted, or is of before a
// Restore, is not in the books any more.
func (s *Service) release(f *function) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.running--
	if f.Reserved == nil && s.functions[f.ARN] == f {
		s.running--
	}
}

func (s *Service) getAccountSettings(r *http.Request) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var size int64
	for _, f := range s.functions {
		for _, v := range f.versions() {
			size += v.Config.CodeSize
		}
	}
	return http.StatusOK, map[string]map[string]int64{
		"AccountLimit": {
			"TotalCodeSize": 75 << 30, "CodeSizeUnzipped": maxUnzipped, "CodeSizeZipped": maxZip,
			"ConcurrentExecutions":           int64(s.opts.Concurrency),
			"UnreservedConcurrentExecutions": int64(s.unreserved()),
		},
		"AccountUsage": {"TotalCodeSize": size, "FunctionCount": int64(len(s.functions))},
	}, nil
}
