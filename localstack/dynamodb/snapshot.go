package dynamodb

import (
	"encoding/json"
	"fmt"
	"maps"
)

// snapshot is the whole state, in a form that a person can read.
type snapshot struct {
	Tables []tableSnapshot            `json:"tables"`
	Tokens map[string]doneTransaction `json:"tokens,omitempty"`
}

type tableSnapshot struct {
	Region   string        `json:"region"`
	Name     string        `json:"name"`
	Settings tableSettings `json:"settings"`
	Items    []item        `json:"items"`
}

// Snapshot returns the whole state as JSON, of one moment: no transaction is
// half in it.
func (s *Service) Snapshot() ([]byte, error) {
	data, err := json.Marshal(s.capture())
	if err != nil {
		return nil, fmt.Errorf("snapshot of dynamodb: %w", err)
	}
	return data, nil
}

// capture takes the locks in the same order as a transaction: the tokens
// first, then the tables.
func (s *Service) capture() snapshot {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	all := s.tables.sorted()
	defer rLockAll(all)()
	out := snapshot{Tables: []tableSnapshot{}, Tokens: maps.Clone(s.tokens.done)}
	for _, t := range all {
		if t.deleted {
			continue
		}
		ts := tableSnapshot{Region: t.id.region, Name: t.id.name, Settings: t.settings, Items: []item{}}
		for e := range t.rows.rows.ascend(keyRange{}) {
			ts.Items = append(ts.Items, e.row.attrs)
		}
		out.Tables = append(out.Tables, ts)
	}
	return out
}

// Restore replaces the whole state by that of a Snapshot. On an error the
// state stays as it was.
func (s *Service) Restore(data []byte) error {
	var in snapshot
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("restore dynamodb: %w", err)
	}
	byID := make(map[tableID]*table, len(in.Tables))
	for _, ts := range in.Tables {
		t, err := ts.table()
		if err != nil {
			return fmt.Errorf("restore dynamodb: table %s: %w", ts.Name, err)
		}
		byID[t.id] = t
	}
	s.discard()
	for _, t := range byID {
		t.mu.Lock()
		s.startTTL(t, t.settings.TTL.Attribute)
		t.mu.Unlock()
	}
	s.tables.mu.Lock()
	s.tables.byID = byID
	s.tables.mu.Unlock()
	s.tokens.mu.Lock()
	s.tokens.done = map[string]doneTransaction{}
	maps.Copy(s.tokens.done, in.Tokens)
	s.tokens.mu.Unlock()
	return nil
}

// discard ends the tables of before: requests that still hold one find it
// deleted.
func (s *Service) discard() {
	for _, t := range s.tables.sorted() {
		t.mu.Lock()
		t.deleted = true
		t.ttl.stop()
		t.ttl.arm = nil
		t.mu.Unlock()
	}
}

func (ts tableSnapshot) table() (*table, error) {
	if err := checkSchemas(ts.Settings); err != nil {
		return nil, err
	}
	if ts.Settings.Tags == nil {
		ts.Settings.Tags = map[string]string{}
	}
	t := newTable(tableID{ts.Region, ts.Name}, ts.Settings)
	for _, it := range ts.Items {
		r := newRow(it)
		if err := t.checkStorable(r, putTooLarge); err != nil {
			return nil, err
		}
		t.replace(nil, r)
	}
	return t, nil
}
