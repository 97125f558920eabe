package gateway

import "testing"

func TestRouteSelection(t *testing.T) {
	tests := map[string]struct{ expression, message, want string }{
		"a member":                            {"$request.body.action", `{"action":"join"}`, "join"},
		"in braces":                           {"${request.body.action}", `{"action":"join"}`, "join"},
		"a nested member":                     {"$request.body.a.b", `{"a":{"b":"c"}}`, "c"},
		"an element":                          {"${request.body.a[1].b}", `{"a":[0,{"b":"c"}]}`, "c"},
		"an element of the body itself":       {"$request.body[0]", `["a"]`, "a"},
		"several variables and literals":      {"${request.body.service}/${request.body.action}", `{"service":"chat","action":"join"}`, "chat/join"},
		"a missing member is empty":           {"${request.body.action}-${request.body.service}", `{"action":"join"}`, "join-"},
		"null is empty":                       {"$request.body.action", `{"action":null}`, ""},
		"an element out of bounds is empty":   {"$request.body.a[9]", `{"a":[]}`, ""},
		"a member of a list is empty":         {"$request.body.a.b", `{"a":["b"]}`, ""},
		"an element of an object is empty":    {"$request.body.a[0]", `{"a":{"":"x"}}`, ""},
		"a member of a string is empty":       {"$request.body.a.b", `{"a":"b"}`, ""},
		"a number as it was written":          {"$request.body.a", `{"a":1.0}`, "1.0"},
		"a number that is no float64":         {"$request.body.a", `{"a":12345678901234567890}`, "12345678901234567890"},
		"a boolean":                           {"$request.body.a", `{"a":true}`, "true"},
		"a list":                              {"$request.body.a", `{"a":["item1","item2"]}`, "[item1, item2]"},
		"an escaped dollar sign":              {`\$default`, `{}`, "$default"},
		"a literal":                           {"fixed", `{}`, "fixed"},
		"values are not evaluated again":      {"$request.body.a", `{"a":"$request.body.b","b":"c"}`, "$request.body.b"},
		"a variable ends where no key can":    {"$request.body.a/b", `{"a":"x"}`, "x/b"},
		"a hyphen belongs to the key":         {"$request.body.a-b", `{"a-b":"x"}`, "x"},
		"the last of two members counts":      {"$request.body.a", `{"a":"1","a":"2"}`, "2"},
		"white space around the body is fine": {"$request.body.a", " {\"a\":\"x\"}\n", "x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := parseSelection(tt.expression)
			must(t, err)
			if got, ok := s.routeKey([]byte(tt.message)); got != tt.want || !ok {
				t.Errorf("got %q, %v; want %q", got, ok, tt.want)
			}
		})
	}
}

func TestWhatIsNoJSONSelectsNothing(t *testing.T) {
	s, err := parseSelection("fixed")
	must(t, err)
	for _, message := range []string{"", "join", `{"a":1`, `{"a":1}}`, `{"a":1} x`, `{"a":1}{"a":2}`} {
		if key, ok := s.routeKey([]byte(message)); ok {
			t.Errorf("%q selects %q", message, key)
		}
	}
}

func TestSelectionsThatAreRefused(t *testing.T) {
	for _, expression := range []string{
		"$", "${", "${}", "$request", "$request.body", "${request.body}", "$request.body.", "$request.body..a", "$request.bodyguard",
		"$request.header.x", "$context.routeKey", "$request.body.a[", "$request.body.a[x]", "$request.body.a[-1]", "$request.body.a[0]b",
		"${request.body.a", "${request.body.*}", "${request.body.a b}", "$request.body.a[99999999]", "a$b",
	} {
		if s, err := parseSelection(expression); err == nil {
			t.Errorf("%q is taken as %+v", expression, s)
		}
	}
}
