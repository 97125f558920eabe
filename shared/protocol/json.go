package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Encode returns the JSON of a frame, or of a queue message that will become
// one. <, > and & stay as they are: a frame is not HTML, and escaping would
// make data grow sixfold on its way, past the limits that it was accepted by.
//
// U+FFFE and U+FFFF are escaped, because SQS refuses a body that holds them:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func Encode(frame any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(frame); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	// In JSON they can only stand within a string.
	text = bytes.ReplaceAll(text, []byte("\uFFFE"), []byte(`\ufffe`))
	return bytes.ReplaceAll(text, []byte("\uFFFF"), []byte(`\uffff`)), nil
}

// Decode reads a client's frame or a queue message into v. What is wrong is an
// *Error with CodeInvalidMessage that quotes nothing of the data, so that it
// can be logged, and has a bounded length. Members with wrong types leave the
// others readable in v.
//
// Members that v does not have are ignored, but for those of "to": a condition
// that is not understood must not widen an audience.
func Decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return invalidf("not valid UTF-8")
	}
	if err := json.Unmarshal(data, v); err != nil {
		return decodeError(err)
	}
	var only struct {
		To knownAudience `json:"to"`
	}
	return json.Unmarshal(data, &only)
}

// knownAudience decodes as Audience does and refuses members it does not have.
type knownAudience Audience

func (a *knownAudience) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if d.Decode((*Audience)(a)) != nil {
		return errNotOneAudience
	}
	return nil
}

func decodeError(err error) error {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok || wrong.Field == "" {
		return invalidf("not a JSON object")
	}
	return invalidf("%q must be %s", wrong.Field, wantedType(wrong))
}

func wantedType(e *json.UnmarshalTypeError) string {
	kind := e.Type.Kind()
	switch {
	case kind == reflect.Slice || strings.HasSuffix(e.Field, "connections"):
		return "a list of strings"
	case kind == reflect.String:
		return "a string"
	case kind == reflect.Bool:
		return "true or false"
	case kind == reflect.Struct:
		return "an object"
	default:
		return "a whole number"
	}
}
