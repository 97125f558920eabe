package awsproto

import (
	"cmp"
	"context"
	"encoding/xml"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// FormOp adapts a typed function to the Query protocol, as JSONOp does for
// JSON: the form is decoded into In by DecodeForm before f runs, so f never
// starts on a request that is wrong. An operation without a result has
// Out = any and returns nil.
func FormOp[In, Out any](f func(context.Context, *In) (Out, error)) QueryOperation {
	return func(ctx context.Context, form url.Values) (any, error) {
		in := new(In)
		if err := DecodeForm(form, in); err != nil {
			return nil, err
		}
		return f(ctx, in)
	}
}

// Members is a list as the Query protocol has it, both ways: in a form
// Tags.member.1.Key=…, in an answer <Tags><member>…</member></Tags>. Other than
// a slice with an `xml:"Tags>member"` tag it writes the element of an empty
// list too, as AWS does, unless the field says omitempty.
type Members[T any] []T

// MarshalXML writes the list's element with one <member> per value.
func (m Members[T]) MarshalXML(e *xml.Encoder, list xml.StartElement) error {
	if err := e.EncodeToken(list); err != nil {
		return err
	}
	for i := range m {
		if err := e.EncodeElement(m[i], start("member", "")); err != nil {
			return err
		}
	}
	return e.EncodeToken(list.End())
}

// DecodeForm reads the form of a Query request into the struct that v points
// to. A field is found by the name in its xml tag or else by its own; one that
// must not be set from outside has the tag `form:"-"`. Fields are strings,
// booleans, int, float64, time.Time (RFC 3339), pointers to these (nil where the
// form has none), structs, and slices of all of them. Embedded structs are
// inlined.
//
// A value of the wrong kind is MalformedInput. A parameter that v has no field
// for is refused by name: AWS would act on it, so ignoring it would be a lie.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/programming.html.
func DecodeForm(form url.Values, v any) error {
	return decodeNode(parseForm(form), "", reflect.ValueOf(v).Elem())
}

// formNode is one name between the dots. Metrics.member.2.Id=e1 is the path
// root, Metrics, member, 2, Id, and the last of them has the value.
type formNode struct {
	value    string
	children map[string]*formNode
}

// maxFormDepth is more than any request of AWS needs. It bounds what one long
// name of dots can cost.
const maxFormDepth = 16

func parseForm(form url.Values) *formNode {
	root := new(formNode)
	for name, values := range form {
		if len(values) == 0 || isEnvelope(name) {
			continue
		}
		node := root
		for _, part := range strings.SplitN(name, ".", maxFormDepth) {
			node = node.child(part)
		}
		node.value = values[0]
	}
	return root
}

// isEnvelope tells what names the request or signs it (presigned URLs) from
// what the operation reads.
func isEnvelope(name string) bool {
	return name == "Action" || name == "Version" || strings.HasPrefix(name, "X-Amz-")
}

func (n *formNode) child(name string) *formNode {
	c, ok := n.children[name]
	if !ok {
		c = new(formNode)
		if n.children == nil {
			n.children = make(map[string]*formNode)
		}
		n.children[name] = c
	}
	return c
}

func decodeNode(n *formNode, path string, v reflect.Value) error {
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decodeNode(n, path, v.Elem())
	case v.Type() == reflect.TypeFor[time.Time]():
		return decodeScalar(n, path, v)
	case v.Kind() == reflect.Struct:
		return decodeStruct(n, path, v)
	case v.Kind() == reflect.Slice:
		return decodeList(n, path, v)
	default:
		return decodeScalar(n, path, v)
	}
}

func decodeStruct(n *formNode, path string, v reflect.Value) error {
	if n.value != "" {
		return malformedInput(path, n.value, "a structure")
	}
	fields := make(map[string]reflect.Value)
	collectFields(v, fields)
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		at := join(path, name)
		field, ok := fields[name]
		if !ok {
			return Errorf(400, "ValidationError", "the local cloud does not support the parameter %s here", at)
		}
		if err := decodeNode(n.children[name], at, field); err != nil {
			return err
		}
	}
	return nil
}

func collectFields(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			collectFields(v.Field(i), into)
		case f.IsExported() && f.Tag.Get("form") != "-":
			name, _, _ := strings.Cut(f.Tag.Get("xml"), ",")
			into[cmp.Or(name, f.Name)] = v.Field(i)
		}
	}
}

// decodeList takes the members in the order of their numbers. Gaps do not
// matter; "Tags=" is how SDKs send an empty list.
func decodeList(n *formNode, path string, v reflect.Value) error {
	if n.value != "" {
		return malformedInput(path, n.value, "a list")
	}
	for name, member := range n.children {
		if name != "member" || member.value != "" {
			return malformedInput(path, name, "a list, named "+path+".member.N")
		}
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	member, ok := n.children["member"]
	if !ok {
		return nil
	}
	byNumber := make(map[int]*formNode, len(member.children))
	for name, item := range member.children {
		number, err := strconv.Atoi(name)
		if err != nil || number < 1 || strconv.Itoa(number) != name {
			return malformedInput(path+".member", name, "a list index from 1")
		}
		byNumber[number] = item
	}
	for _, number := range slices.Sorted(maps.Keys(byNumber)) {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := decodeNode(byNumber[number], path+".member."+strconv.Itoa(number), item); err != nil {
			return err
		}
		v.Set(reflect.Append(v, item))
	}
	return nil
}

func decodeScalar(n *formNode, path string, v reflect.Value) error {
	if len(n.children) > 0 {
		return malformedInput(path, "a structure", "a single value")
	}
	if !utf8.ValidString(n.value) {
		return malformedInput(path, n.value, "UTF-8")
	}
	var err error
	switch p := v.Addr().Interface().(type) {
	case *bool:
		*p, err = parseBool(n.value)
	case *int:
		*p, err = strconv.Atoi(n.value)
	case *float64:
		*p, err = strconv.ParseFloat(n.value, 64)
	case *time.Time:
		*p, err = time.Parse(time.RFC3339, n.value)
		*p = p.UTC()
	default:
		v.SetString(n.value) // panics for a kind that DecodeForm's comment does not list
	}
	if err != nil {
		return malformedInput(path, n.value, v.Type().String())
	}
	return nil
}

func parseBool(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, strconv.ErrSyntax
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func malformedInput(path, got, want string) *Error {
	return Errorf(400, "MalformedInput", "%s is %q where %s is expected", path, got, want)
}
