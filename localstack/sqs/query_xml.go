package sqs

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// xmlResult writes the JSON form of an answer as XML.
type xmlResult struct {
	operation string
	fields    map[string]any
}

func newXMLResult(operation string, out any) (xmlResult, error) {
	r := xmlResult{operation: operation}
	body, err := json.Marshal(out)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(body, &r.fields)
}

// plural is to an answer what pluralsInForm are to a form: json is the element
// of each item.
func (r xmlResult) plural(field string) plural {
	switch field {
	case "QueueUrls", "queueUrls":
		return plural{json: "QueueUrl"}
	case "Messages":
		return plural{json: "Message"}
	case "Results":
		return plural{json: "ListMessageMoveTasksResultEntry"}
	case "Successful":
		return plural{json: r.operation + "ResultEntry"}
	case "Failed":
		return plural{json: "BatchResultErrorEntry"}
	case "Attributes":
		return plural{"Attribute", "Name", "Value"}
	case "MessageAttributes":
		return plural{"MessageAttribute", "Name", "Value"}
	case "Tags":
		return plural{"Tag", "Key", "Value"}
	}
	return plural{json: field}
}

// MarshalXML writes the result's element.
func (r xmlResult) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	return r.object(e, start.Name.Local, r.fields)
}

func (r xmlResult) object(e *xml.Encoder, name string, fields map[string]any) error {
	start := xml.StartElement{Name: xml.Name{Local: name}}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		if err := r.field(e, field, fields[field]); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

func (r xmlResult) field(e *xml.Encoder, name string, value any) error {
	rule := r.plural(name)
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			if err := r.field(e, rule.json, item); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		if rule.key == "" {
			return r.object(e, rule.json, value)
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if err := r.object(e, rule.json, map[string]any{rule.key: key, rule.value: value[key]}); err != nil {
				return err
			}
		}
		return nil
	case float64: // counts and milliseconds: whole numbers
		return r.text(e, name, strconv.FormatInt(int64(value), 10))
	default:
		return r.text(e, name, fmt.Sprint(value))
	}
}

func (r xmlResult) text(e *xml.Encoder, name, value string) error {
	return e.EncodeElement(value, xml.StartElement{Name: xml.Name{Local: name}})
}
