package cloudwatch

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

// state is everything that a snapshot holds. Alarms and metrics belong to a
// region, dashboards to the account.
type state struct {
	Regions    map[string]*region
	Dashboards map[string]dashboard // by name
}

type region struct {
	Alarms map[string]*alarm  // by name
	Series map[string]*series // by series.key
}

func newState() state {
	return state{Regions: make(map[string]*region), Dashboards: make(map[string]dashboard)}
}

func newRegion() *region {
	return &region{Alarms: make(map[string]*alarm), Series: make(map[string]*series)}
}

func decodeState(snapshot []byte) (state, error) {
	var st state
	if err := json.Unmarshal(snapshot, &st); err != nil {
		return state{}, fmt.Errorf("restore cloudwatch: %w", err)
	}
	if st.Regions == nil || st.Dashboards == nil {
		return state{}, fmt.Errorf("restore cloudwatch: the snapshot has no Regions or no Dashboards")
	}
	for name, r := range st.Regions {
		if r == nil || r.Alarms == nil || r.Series == nil {
			return state{}, fmt.Errorf("restore cloudwatch: the region %q has no Alarms or no Series", name)
		}
		for key, se := range r.Series {
			if se == nil || se.Minutes == nil || se.key() != key {
				return state{}, fmt.Errorf("restore cloudwatch: the metric %q is broken", key)
			}
		}
		for name, a := range r.Alarms {
			if a == nil || a.AlarmName != name {
				return state{}, fmt.Errorf("restore cloudwatch: the alarm %q is broken", name)
			}
		}
	}
	return st, nil
}

// region returns the state of the request's region.
func (st state) region(ctx context.Context) *region {
	return st.regionNamed(awsproto.CallFrom(ctx).Region)
}

func (st state) regionNamed(name string) *region {
	r, ok := st.Regions[name]
	if !ok {
		r = newRegion()
		st.Regions[name] = r
	}
	return r
}

func (st state) countSeries() int {
	n := 0
	for _, r := range st.Regions {
		n += len(r.Series)
	}
	return n
}

// expire forgets old samples everywhere.
func (st state) expire(now time.Time) {
	for _, r := range st.Regions {
		r.expire(now)
	}
}

// alarmsWhere returns copies of the alarms that match, by name.
func (r *region) alarmsWhere(match func(*alarm) bool) []alarm {
	var found []alarm
	for _, name := range slices.Sorted(maps.Keys(r.Alarms)) {
		if a := r.Alarms[name]; match(a) {
			found = append(found, *a)
		}
	}
	return found
}

func (r *region) alarmByARN(arn string) (*alarm, error) {
	for _, a := range r.Alarms {
		if a.AlarmArn == arn {
			return a, nil
		}
	}
	return nil, taggedNotFound(arn)
}

// page cuts the next page out of items, which are sorted by key. The token is
// the last key that was returned, so pages stay right while items come and go.
func page[T any](items []T, key func(T) string, token string, limit int) (some []T, next string, err error) {
	after, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, "", awsproto.Errorf(400, "InvalidNextToken", "The token is not one that the local cloud gave")
	}
	if token != "" {
		i := slices.IndexFunc(items, func(item T) bool { return strings.Compare(key(item), string(after)) > 0 })
		if i < 0 {
			return nil, "", nil
		}
		items = items[i:]
	}
	if len(items) <= limit {
		return items, "", nil
	}
	return items[:limit], base64.RawURLEncoding.EncodeToString([]byte(key(items[limit-1]))), nil
}
