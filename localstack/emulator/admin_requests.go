package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// RequestList is what GET /_localstack/requests answers.
type RequestList struct {
	Requests []Request `json:"requests"`
}

func (e *Emulator) listRequests(w http.ResponseWriter, r *http.Request) {
	f, err := requestFilter(r.URL.RawQuery, e.clock.Now())
	if err != nil {
		adminError(w, http.StatusBadRequest, err)
		return
	}
	writeAdmin(w, http.StatusOK, RequestList{e.Requests(f)})
}

// requestFilter reads a query, and refuses what it does not know: a filter
// that is silently left out shows too much.
func requestFilter(query string, now time.Time) (RequestFilter, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return RequestFilter{}, fmt.Errorf("the query cannot be read: %w", err)
	}
	var f RequestFilter
	for name := range values {
		value := values.Get(name)
		switch name {
		case "service":
			f.Service = value
		case "operation":
			f.Operation = value
		case "since":
			f.Since, err = parseSince(value, now)
		case "limit":
			if f.Limit, err = strconv.Atoi(value); err != nil || f.Limit < 1 {
				err = fmt.Errorf("limit=%s must be a number from 1", value)
			}
		default:
			err = fmt.Errorf("there is no filter %q: use service, operation, since and limit", name)
		}
		if err != nil {
			return RequestFilter{}, err
		}
	}
	return f, nil
}

// parseSince takes a time or how long ago.
func parseSince(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		err = errors.New("since=" + text + ` must be a time such as 2026-01-02T15:04:05Z or a duration such as "10s"`)
	}
	return at, err
}
