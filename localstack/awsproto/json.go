package awsproto

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// MaxBody is the largest request body that any service reads: a Lambda zip of
// 50 MB in base64, with room for what is around it. Larger gets 413.
const MaxBody = 70 << 20

// A JSONOperation takes a request body and returns the value to marshal, or an
// error that AsError understands. A nil value is answered with an empty body.
type JSONOperation func(ctx context.Context, body []byte) (any, error)

// JSON is a service that speaks AWS JSON 1.0 or 1.1: one path, the operation in
// X-Amz-Target.
type JSON struct {
	Target         string // prefix of X-Amz-Target: "DynamoDB_20120810"
	Version        string // "1.0" or "1.1"
	ErrorNamespace string // prefix of __type, with its '#': "com.amazonaws.dynamodb.v20120810#"
	Operations     map[string]JSONOperation
}

// JSONOp adapts a typed function: the body is decoded into In. Unknown members
// are ignored, as AWS does.
func JSONOp[In, Out any](f func(context.Context, *In) (Out, error)) JSONOperation {
	return func(ctx context.Context, body []byte) (any, error) {
		in := new(In)
		if len(body) > 0 {
			if err := json.Unmarshal(body, in); err != nil {
				return nil, serializationError(err)
			}
		}
		return f(ctx, in)
	}
}

func serializationError(err error) *Error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return Errorf(400, "SerializationException", "%s can not be converted to %s at %q", e.Value, e.Type, e.Field)
	}
	return Errorf(400, "SerializationException", "Unexpected value in the request body: %v", err)
}

func (s JSON) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := CallFrom(r.Context())
	prefix, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	call.Operation = name
	op, ok := s.Operations[name]
	if !ok || prefix != s.Target {
		call.Unknown = true
		s.write(w, call, nil, UnknownOperation(r.Header.Get("X-Amz-Target")))
		return
	}
	body, err := ReadBody(r)
	if err != nil {
		s.write(w, call, nil, err)
		return
	}
	call.Resources = jsonResources(body)
	if err := call.admit(r, body); err != nil {
		s.write(w, call, nil, err)
		return
	}
	out, err := op(r.Context(), body)
	s.write(w, call, out, err)
}

func (s JSON) write(w http.ResponseWriter, call *Call, out any, err error) {
	status, body := http.StatusOK, []byte(nil)
	h := w.Header()
	if err == nil && out != nil {
		body, err = marshalJSON(out)
	}
	if err != nil {
		e := AsError(err)
		status = e.status()
		fields := map[string]any{"__type": cmp.Or(e.Namespace, s.ErrorNamespace) + e.Code, "message": e.Message}
		for k, v := range e.Fields {
			fields[k] = v
		}
		if e.QueryCode != "" {
			fault := "Sender"
			if status >= 500 {
				fault = "Receiver"
			}
			h.Set("x-amzn-query-error", e.QueryCode+";"+fault)
		}
		body, _ = marshalJSON(fields)
	}
	h.Set("Content-Type", "application/x-amz-json-"+s.Version)
	h.Set("x-amzn-RequestId", call.RequestID)
	// DynamoDB's SDKs check this sum where it is present; the other services'
	// ignore it.
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	writeBody(w, status, body)
}

// ReadBody reads the whole body, up to MaxBody.
func ReadBody(r *http.Request) ([]byte, error) {
	if b, ok := r.Body.(*readBody); ok {
		return b.data, b.err
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, MaxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, Errorf(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			"the request body is larger than %d bytes", MaxBody)
	}
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	return body, nil
}

// marshalJSON leaves <, > and & as they are, as AWS does.
func marshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone: nobody to tell
}
