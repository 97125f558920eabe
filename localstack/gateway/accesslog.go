package gateway

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// accessLogSettings are a stage's: where its access log goes, and what a line
// of it looks like.
type accessLogSettings struct {
	DestinationARN string `json:"destinationArn,omitempty"`
	Format         string `json:"format,omitempty"`
}

// UnmarshalJSON reads the settings as a whole: a patch replaces them, and {}
// switches the log off.
func (l *accessLogSettings) UnmarshalJSON(raw []byte) error {
	type plain accessLogSettings
	var p plain
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields() // see decode
	if err := dec.Decode(&p); err != nil {
		return err
	}
	*l = accessLogSettings(p)
	return nil
}

const maxAccessLogFormat = 3 << 10

// validate is AWS's, in its words where they are known ("Configure logging for
// WebSocket APIs"). Delivery streams, its other destination, are not here.
func (l accessLogSettings) validate(acc account) error {
	if l == (accessLogSettings{}) {
		return nil
	}
	format := strings.TrimSuffix(l.Format, "\n")
	switch {
	case acc.CloudwatchRoleARN == "":
		return badRequest("CloudWatch Logs role ARN must be set in account settings to enable logging")
	case l.group() == "":
		return badRequest("Invalid ARN specified in the request: destinationArn must be a log group's (arn:aws:logs:<region>:<account>:log-group:<name>), not %q", l.DestinationARN)
	case len(l.Format) > maxAccessLogFormat:
		return badRequest("Access Log format must not be larger than %d bytes", maxAccessLogFormat)
	case strings.Contains(format, "\n"):
		return badRequest("Access Log format must be single line, new line character is allowed only at end of the format")
	}
	for name := range contextVariables(format) {
		if name == "requestId" || name == "extendedRequestId" {
			return nil
		}
	}
	return badRequest("Access Log format must contain $context.requestId or $context.extendedRequestId")
}

// group is the log group that the ARN names, or "". A ":*" at the end is that of
// the group's streams.
func (l accessLogSettings) group() string {
	parts := strings.SplitN(strings.TrimSuffix(l.DestinationARN, ":*"), ":", 7)
	if len(parts) != 7 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] != "logs" ||
		parts[3] == "" || parts[4] == "" || parts[5] != "log-group" || strings.Contains(parts[6], ":") {
		return ""
	}
	return parts[6]
}

// outcome is what the access log tells of a request beyond its event.
type outcome struct {
	status   int
	problem  string // what API Gateway tells the client in its own words
	faulted  bool   // a fault rule decided
	called   bool   // an integration was
	latency  time.Duration
	invoke   string // the integration's invoke
	function int    // statusCode of the function's result
	err      error  // of the integration
}

func (t target) logsAccess() bool { return t.accessLog != accessLogSettings{} }

// logAccess writes a stage's line for a request. The variables are the event's
// own requestContext, so the log knows what the function knows, and no more:
// neither the query string nor a header is ever in it.
func (s *Service) logAccess(t target, event []byte, at time.Time, o outcome) {
	if !t.logsAccess() || s.accessLog == nil {
		return
	}
	var e struct {
		RequestContext map[string]any `json:"requestContext"`
	}
	dec := json.NewDecoder(bytes.NewReader(event))
	dec.UseNumber()
	if err := dec.Decode(&e); err != nil { // we have made it
		s.log.Error("access log: unreadable event", "error", err)
		return
	}
	o.addTo(e.RequestContext)
	s.accessLog(t.region, t.accessLog.group(), expand(strings.TrimSuffix(t.accessLog.Format, "\n"), e.RequestContext), at)
}

// addTo adds the variables that no event has.
func (o outcome) addTo(context map[string]any) {
	context["status"] = strconv.Itoa(o.status)
	// messageString is message with its quotes, and so even where there is none.
	context["error"] = map[string]any{"message": o.problem, "messageString": raw(quoteJSON(cmp.Or(o.problem, "-")))}
	if !o.called {
		return
	}
	integration := map[string]any{"latency": strconv.FormatInt(o.latency.Milliseconds(), 10)}
	context["integrationLatency"] = integration["latency"]
	if o.function != 0 { // Lambda has answered, and the function with it
		integration["status"] = strconv.Itoa(o.function)
		integration["integrationStatus"], context["integrationStatus"] = "200", "200"
	}
	if o.err != nil {
		integration["error"], context["integrationErrorMessage"] = o.err.Error(), o.err.Error()
	}
	context["integration"] = integration
}

// raw is a value that stands in a line as it is.
type raw string

// expand puts the variables into a format. One that has no value is "-".
func expand(format string, context map[string]any) string {
	var b strings.Builder
	rest := 0
	for name, at := range contextVariables(format) {
		b.WriteString(format[rest:at])
		b.WriteString(valueOf(context, name))
		rest = at + len(contextPrefix) + len(name)
	}
	b.WriteString(format[rest:])
	return b.String()
}

const contextPrefix = "$context."

// contextVariables yields the names of the variables in a format, such as
// identity.sourceIp, with where each begins. A name does not end in a dot or a
// hyphen: those are the format's.
func contextVariables(format string) func(yield func(name string, at int) bool) {
	return func(yield func(string, int) bool) {
		at := 0
		for {
			next := strings.Index(format[at:], contextPrefix)
			if next < 0 {
				return
			}
			at += next
			begin := at + len(contextPrefix)
			end := begin
			for end < len(format) && (isKeyByte(format[end]) || format[end] == '.') {
				end++
			}
			name := strings.TrimRight(format[begin:end], ".-")
			if name != "" && !yield(name, at) {
				return
			}
			at = begin + len(name)
		}
	}
}

// valueOf is a variable's value, escaped so that it may stand between the quotes
// of a JSON string.
func valueOf(context map[string]any, name string) string {
	var v any = context
	for part := range strings.SplitSeq(name, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return "-"
		}
		v = m[part]
	}
	switch x := v.(type) {
	case raw:
		return string(x)
	case map[string]any:
		return "-"
	}
	text := stringify(v)
	if text == "" {
		return "-"
	}
	return strings.TrimSuffix(strings.TrimPrefix(quoteJSON(text), `"`), `"`)
}

func quoteJSON(text string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}
