package lambda

import (
	"bytes"
	"encoding/json"
	"reflect"
)

// refuseUnsupported returns an error for the first field of in, a struct of
// json.RawMessage, that asks for something. Terraform sends empty blocks for
// what a configuration does not mention: those ask for nothing.
func refuseUnsupported(in any) error {
	v := reflect.ValueOf(in)
	for i := range v.NumField() {
		if raw := v.Field(i).Interface().(json.RawMessage); !saysNothing(raw) {
			return notSupported(v.Type().Field(i).Name)
		}
	}
	return nil
}

// refuse is refuseUnsupported for single fields.
func refuse(fields map[string]json.RawMessage) error {
	for name, raw := range fields {
		if !saysNothing(raw) {
			return notSupported(name)
		}
	}
	return nil
}

func saysNothing(raw json.RawMessage) bool {
	if len(bytes.TrimSpace(raw)) == 0 {
		return true
	}
	var v any
	return json.Unmarshal(raw, &v) == nil && isEmpty(v)
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, member := range v {
			if !isEmpty(member) {
				return false
			}
		}
		return true
	}
	return false // a number means itself, 0 too
}
