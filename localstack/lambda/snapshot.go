package lambda

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// snapshot is the whole state but for the code, which versions name by CodeID.
type snapshot struct {
	Functions []*function
	Mappings  []*mapping
	Events    []*asyncEvent
}

// Snapshot returns the state as JSON: functions with their policies, mappings,
// and the asynchronous events that still wait; and beside it the zips of the
// functions' code, once for all versions that share it, by a name that is fit
// for a file. They stay readable while what was given to Restore does.
// Processes are not part of it.
func (s *Service) Snapshot() (state []byte, code map[string]*io.SectionReader, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var snap snapshot
	code = map[string]*io.SectionReader{}
	for _, arn := range slices.Sorted(maps.Keys(s.functions)) {
		f := s.functions[arn]
		snap.Functions = append(snap.Functions, f)
		for _, v := range f.versions() {
			code[codeName(v.CodeID)] = v.Code.zip
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.mappings)) {
		snap.Mappings = append(snap.Mappings, s.mappings[id])
	}
	for _, id := range slices.Sorted(maps.Keys(s.events)) {
		snap.Events = append(snap.Events, s.events[id])
	}
	state, err = json.Marshal(snap)
	return state, code, err
}

// codeName is <SHA-256 in hexadecimal>.zip.
func codeName(id string) string {
	sum, _ := base64.StdEncoding.DecodeString(id) // damaged, it names no code that there is
	return hex.EncodeToString(sum) + ".zip"
}

// Restore replaces the state by that of a Snapshot; on an error nothing has
// changed. The code must have the checksums that the state tells, and stay
// readable for as long as the service is used: it is unpacked when a function
// first starts. Environments of before finish their invokes and stop. OnMapping
// hears that the mappings of before are gone, and then of each that is there
// now.
func (s *Service) Restore(state []byte, code map[string]*io.SectionReader) error {
	var snap snapshot
	if err := json.Unmarshal(state, &snap); err != nil {
		return fmt.Errorf("lambda: restore: %w", err)
	}
	if err := snap.attachCode(code); err != nil {
		return fmt.Errorf("lambda: restore: %w", err)
	}
	s.mappingTurn.Lock()
	defer s.mappingTurn.Unlock()
	for _, m := range s.replaceState(snap) {
		s.announce(m)
	}
	return nil
}

func (snap *snapshot) attachCode(code map[string]*io.SectionReader) error {
	if slices.Contains(snap.Functions, nil) || slices.Contains(snap.Mappings, nil) || slices.Contains(snap.Events, nil) {
		return errors.New("an entry is null")
	}
	archives := map[string]*archive{}
	for _, f := range snap.Functions {
		for _, v := range f.versions() {
			if v == nil {
				return fmt.Errorf("%s lacks a version", f.ARN)
			}
			a, ok := archives[v.CodeID]
			if !ok {
				var err error
				if a, err = reopenArchive(code[codeName(v.CodeID)], v.CodeID); err != nil {
					return fmt.Errorf("code of %s: %w", f.ARN, err)
				}
				archives[v.CodeID] = a
			}
			v.Code = a
		}
	}
	return nil
}

// replaceState returns what OnMapping has to hear.
func (s *Service) replaceState(snap snapshot) []Mapping {
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.pools {
		s.retire(v)
	}
	var news []Mapping
	for _, m := range s.mappings {
		news = append(news, m.public(MappingDeleting))
	}
	s.functions, s.mappings, s.events, s.running = map[string]*function{}, map[string]*mapping{}, map[string]*asyncEvent{}, 0
	for _, f := range snap.Functions {
		s.functions[f.ARN] = f
	}
	for _, m := range snap.Mappings {
		s.mappings[m.UUID] = m
		news = append(news, m.public(m.State))
	}
	for _, e := range snap.Events {
		s.startEvent(e)
	}
	return news
}
