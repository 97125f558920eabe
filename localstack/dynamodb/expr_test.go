package dynamodb

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

const exampleItem = `{
	"name1": {"S": "hello"}, "n": {"N": "5"}, "bin": {"B": "aGk="}, "yes": {"BOOL": true}, "nil1": {"NULL": true},
	"tags": {"SS": ["red", "blue"]}, "nums": {"NS": ["1", "2"]},
	"l": {"L": [{"S": "a"}, {"N": "1"}, {"M": {"x": {"S": "deep"}}}]},
	"m": {"M": {"x": {"N": "1"}, "y": {"L": [{"S": "in"}]}}}
}`

const exampleValues = `{":hello": {"S": "hello"}, ":he": {"S": "he"}, ":five": {"N": "5.0"}, ":six": {"N": "6"}, ":one": {"N": "1"},
	":red": {"S": "red"}, ":hi": {"B": "aGk="}, ":S": {"S": "S"}, ":bogus": {"S": "STRING"}, ":tags": {"SS": ["blue", "red"]}, ":true": {"BOOL": true},
	":list": {"L": [{"S": "z"}]}, ":x": {"S": "x"}, ":ns": {"NS": ["2", "3"]}}`

func parseItem(t testing.TB, text string) item {
	t.Helper()
	var it item
	if err := json.Unmarshal([]byte(text), &it); err != nil {
		t.Fatal(err)
	}
	return it
}

func exampleScope(t testing.TB) *scope {
	t.Helper()
	var values expressionValues
	if err := json.Unmarshal([]byte(exampleValues), &values); err != nil {
		t.Fatal(err)
	}
	e := ""
	s, err := newScope(expressionNames{"#n": "n", "#dot": "a.b", "#m": "m"}, values, &e)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// [WEB:Expressions.OperatorsAndFunctions].
func TestConditionsHold(t *testing.T) {
	it := parseItem(t, exampleItem)
	tests := map[string]bool{
		"n = :five":                                  true,
		"#n = :five":                                 true,
		"n < :six AND n > :one":                      true,
		"n <= :five AND n >= :five":                  true,
		"n <> :five":                                 false,
		"absent = :five":                             false,
		"absent <> :five":                            true,
		"absent < :five":                             false,
		"name1 < :five":                              false,
		"NOT name1 < :five":                          true,
		"n BETWEEN :one AND :six":                    true,
		"n between :six and :six":                    false,
		"n IN (:one, :five)":                         true,
		"n IN (:one)":                                false,
		"tags = :tags":                               true,
		"yes = :true":                                true,
		"attribute_exists(m.y[0])":                   true,
		"attribute_exists(m.y[1])":                   false,
		"attribute_not_exists(#dot)":                 true,
		"attribute_type(name1, :S)":                  true,
		"attribute_type(n, :S)":                      false,
		"begins_with(name1, :he)":                    true,
		"begins_with(bin, :hi)":                      true,
		"begins_with(n, :he)":                        false,
		"contains(name1, :he)":                       true,
		"contains(tags, :red)":                       true,
		"contains(nums, :one)":                       true,
		"contains(l, :one)":                          true,
		"contains(l, :five)":                         false,
		"size(name1) = :five":                        true,
		"size(l) < size(name1)":                      true,
		"size(n) = :one":                             false,
		"(n) = (:five)":                              true,
		"n = :one OR n = :five AND yes = :true":      true,
		"(n = :five OR n = :one) AND n = :one":       false,
		"NOT (n = :one OR n = :six)":                 true,
		"NOT n = :one AND NOT n = :six":              true,
		"l[2].x = :x OR l[0] = :x OR m.x=:one":       true,
		"attribute_exists ( n )AND(yes=:true)":       true,
		"\n\tn\r= :five ":                            true,
		"size (tags) BETWEEN :one AND size(name1)":   true,
		"m.x = n":                                    false,
		"(m.x = :one) AND (n = :five) OR (n = :one)": true,
	}
	for src, want := range tests {
		c, err := exampleScope(t).condition("ConditionExpression", &src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := c.holds(it); got != want {
			t.Errorf("%s = %v, want %v", src, got, want)
		}
	}
}

// [WEB:Expressions.OperatorsAndFunctions, Constraints].
func TestConditionsRefusedAsAWSDoes(t *testing.T) {
	tests := map[string]string{
		"":                              "The expression can not be empty;",
		"n = ":                          `Syntax error; token: "<EOF>", near: "= "`,
		"n = = :one":                    `Syntax error; token: "=", near: "= = :one"`,
		"_n = :one":                     `Syntax error; token: "_", near: "_n"`,
		"n = 5":                         `Syntax error; token: "5", near: "= 5"`,
		"n":                             "Syntax error",
		"(n = :one":                     "Syntax error",
		"n = :one n = :one":             "Syntax error",
		"l[x] = :one":                   "Syntax error",
		"Name = :one":                   "Attribute name is a reserved keyword; reserved keyword: Name",
		"m.status = :one":               "Attribute name is a reserved keyword; reserved keyword: status",
		"ttl < :one":                    "Attribute name is a reserved keyword; reserved keyword: ttl",
		"#nope = :one":                  "An expression attribute name used in the document path is not defined; attribute name: #nope",
		"n = :nope":                     "An expression attribute value used in expression is not defined; attribute value: :nope",
		"((n = :one))":                  "The expression has redundant parentheses;",
		"starts_with(n, :one)":          "Invalid function name; function: starts_with",
		"ATTRIBUTE_EXISTS(n)":           "Invalid function name; function: ATTRIBUTE_EXISTS",
		"contains(n)":                   "Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1",
		"begins_with(n, :one)":          "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
		"attribute_exists(:one)":        "Operator or function requires a document path; operator or function: attribute_exists",
		"attribute_type(n, :bogus)":     "Invalid attribute type name found; type: STRING",
		"n < :true":                     "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
		"n BETWEEN :six AND :one":       "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:6}",
		"n BETWEEN :one AND :he":        "The BETWEEN operator requires same data type",
		"n = n":                         "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [n]",
		"size(n)":                       "The function is not allowed to be used this way in an expression; function: size",
		"attribute_exists(n) = :true":   "Syntax error",
		"size(contains(n, :one)) = :he": "The function is not allowed to be used this way in an expression; function: contains",
		"n = :one" + strings.Repeat(" OR n = :one", 300): "The expression contains too many operators; operator count: 301",
		"n = :one" + strings.Repeat(" ", 4096):           "Expression size has exceeded the maximum allowed size; expression size: 4104",
	}
	for src, want := range tests {
		_, err := exampleScope(t).condition("ConditionExpression", &src)
		if err == nil || !strings.Contains(err.Error(), "Invalid ConditionExpression: "+want) {
			t.Errorf("%.60s\ngot  %v\nwant %s", src, err, want)
		}
	}
}

// [WEB:Expressions.UpdateExpressions].
func TestUpdates(t *testing.T) {
	tests := []struct{ src, old, want string }{
		{"SET a = :one", `{}`, `{"a":{"N":"1"}}`},
		{"set a = b, b = a", `{"a":{"N":"1"},"b":{"N":"2"}}`, `{"a":{"N":"2"},"b":{"N":"1"}}`},
		{"SET a = a + :one", `{"a":{"N":"41"}}`, `{"a":{"N":"42"}}`},
		{"SET a = :five - a", `{"a":{"N":"0.5"}}`, `{"a":{"N":"4.5"}}`},
		{"SET a = if_not_exists(a, :five) + :one", `{}`, `{"a":{"N":"6"}}`},
		{"SET a = if_not_exists(a, :five)", `{"a":{"S":"kept"}}`, `{"a":{"S":"kept"}}`},
		{"SET a = list_append(if_not_exists(a, :list), :list)", `{}`, `{"a":{"L":[{"S":"z"},{"S":"z"}]}}`},
		{"SET l[9] = :x, l[7] = :he", `{"l":{"L":[{"S":"0"}]}}`, `{"l":{"L":[{"S":"0"},{"S":"he"},{"S":"x"}]}}`},
		{"SET l[0].b = :x", `{"l":{"L":[{"M":{"a":{"S":"a"}}}]}}`, `{"l":{"L":[{"M":{"a":{"S":"a"},"b":{"S":"x"}}}]}}`},
		{"REMOVE l[0], l[2]", `{"l":{"L":[{"S":"0"},{"S":"1"},{"S":"2"}]}}`, `{"l":{"L":[{"S":"1"}]}}`},
		{"REMOVE a, m.x, nope", `{"a":{"S":"a"},"m":{"M":{"x":{"S":"x"}}}}`, `{"m":{"M":{}}}`},
		{"ADD n1 :one, nums :ns", `{"nums":{"NS":["1","2"]}}`, `{"n1":{"N":"1"},"nums":{"NS":["1","2","3"]}}`},
		{"DELETE nums :ns", `{"nums":{"NS":["1","2"]}}`, `{"nums":{"NS":["1"]}}`},
		{"DELETE nums :ns", `{"nums":{"NS":["2","3"]}}`, `{}`},
		{"DELETE nums :ns", `{}`, `{}`},
		{"ADD m.count1 :one", `{"m":{"M":{}}}`, `{"m":{"M":{"count1":{"N":"1"}}}}`},
		{"REMOVE a SET b = a ADD c1 :one DELETE d :ns", `{"a":{"S":"x"}}`, `{"b":{"S":"x"},"c1":{"N":"1"}}`},
		{"SET #dot = :x", `{}`, `{"a.b":{"S":"x"}}`},
	}
	for _, tt := range tests {
		old := parseItem(t, tt.old)
		before, _ := old.MarshalJSON()
		u, err := exampleScope(t).update(&tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		fresh, err := u.apply(old)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		if got, _ := fresh.MarshalJSON(); string(got) != tt.want {
			t.Errorf("%s on %s\ngot  %s\nwant %s", tt.src, tt.old, got, tt.want)
		}
		if after, _ := old.MarshalJSON(); string(after) != string(before) {
			t.Errorf("%s changed the old item to %s", tt.src, after)
		}
	}
}

// [WEB:Expressions.UpdateExpressions].
func TestUpdatesRefusedAsAWSDoes(t *testing.T) {
	tests := map[string]string{
		"":                              "Invalid UpdateExpression: The expression can not be empty;",
		"PUT a = :one":                  `Invalid UpdateExpression: Syntax error; token: "PUT"`,
		"SET a :one":                    "Invalid UpdateExpression: Syntax error",
		"SET a = :one + :one + :one":    `Invalid UpdateExpression: Syntax error; token: "+"`,
		"SET a = :one SET b = :one":     `Invalid UpdateExpression: The "SET" section can only be used once in an update expression;`,
		"SET a = :one REMOVE a":         "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
		"SET m.x = :one, m = :one":      "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m, x], path two: [m]",
		"SET m.x = :one, m[0] = :one":   "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, x], path two: [m, [0]]",
		"SET data = :one":               "Attribute name is a reserved keyword; reserved keyword: data",
		"SET a = size(b)":               "Invalid function name; function: size",
		"SET a = if_not_exists(:one)":   "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1",
		"SET a = list_append(a, :one)":  "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
		"SET a = a + :hello":            "Incorrect operand type for operator or function; operator or function: +, operand type: S",
		"ADD a :hello":                  "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"DELETE a :one":                 "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
		"SET q = nope + :one":           "The provided expression refers to an attribute that does not exist in the item",
		"SET q = name1 + :one":          "An operand in the update expression has an incorrect data type",
		"SET q = list_append(n, :list)": "An operand in the update expression has an incorrect data type",
		"ADD name1 :one":                "An operand in the update expression has an incorrect data type",
		"SET nope.x = :one":             "The document path provided in the update expression is invalid for update",
		"SET n.x = :one":                "The document path provided in the update expression is invalid for update",
		"REMOVE l[0].x":                 "The document path provided in the update expression is invalid for update",
	}
	it := parseItem(t, exampleItem)
	for src, want := range tests {
		u, err := exampleScope(t).update(&src)
		if err == nil {
			_, err = u.apply(it)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", src, err, want)
		}
	}
}

// [WEB:Expressions.ExpressionAttributeNames].
func TestUnusedAndMisplacedAliases(t *testing.T) {
	condition := "n = :one"
	one := value{kind: kindN, text: "1"}
	tests := []struct {
		name   string
		names  expressionNames
		values expressionValues
		src    *string
		want   string
	}{
		{"unused name", expressionNames{"#b": "b", "#a": "a"}, expressionValues{":one": one}, &condition, "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}"},
		{"unused value", nil, expressionValues{":one": one, ":two": one}, &condition, "Value provided in ExpressionAttributeValues unused in expressions: keys: {:two}"},
		{"names without expression", expressionNames{"#a": "a"}, nil, nil, "ExpressionAttributeNames can only be specified when using expressions"},
		{"values without expression", nil, expressionValues{":one": one}, nil, "ExpressionAttributeValues can only be specified when using expressions"},
		{"empty names", expressionNames{}, expressionValues{":one": one}, &condition, "ExpressionAttributeNames must not be empty"},
		{"empty values", nil, expressionValues{}, &condition, "ExpressionAttributeValues must not be empty"},
		{"name without #", expressionNames{"a": "a"}, expressionValues{":one": one}, &condition, `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{"value without :", nil, expressionValues{"one": one}, &condition, `ExpressionAttributeValues contains invalid key: Syntax error; key: "one"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := newScope(tt.names, tt.values, tt.src)
			if err == nil {
				if _, err = s.condition("ConditionExpression", tt.src); err == nil {
					err = s.done()
				}
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %s", err, tt.want)
			}
		})
	}
}

// [WEB:ReservedWords].
func TestReservedWordsAreComplete(t *testing.T) {
	if got := len(reservedWords); got != 573 {
		t.Errorf("%d reserved words, AWS lists 573", got)
	}
}

// FuzzExpressions: whatever is sent, the compilers answer with a result or an
// AWS error, and what compiles can run.
func FuzzExpressions(f *testing.F) {
	for _, src := range []string{
		"n = :five AND (NOT contains(tags, :red) OR size(l) > :one)", "SET l[3] = list_append(l, :list) REMOVE m.x ADD n :one DELETE tags :tags",
		"n BETWEEN :one AND :six", "n IN (:one, :six)", "((n = :one))", "l[2].x, #m.y[0], name1", "SET a = b + :one", "n = (:one)", "(((((", "#n[", ":one", "SET",
	} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		it := parseItem(t, exampleItem)
		c, err := exampleScope(t).condition("FilterExpression", &src)
		if isAWSError(t, err) {
			c.holds(it)
			c.holds(nil)
		}
		u, err := exampleScope(t).update(&src)
		if isAWSError(t, err) {
			_, err := u.apply(it)
			isAWSError(t, err)
		}
		if picked, err := exampleScope(t).projection(&src); isAWSError(t, err) {
			picked.of(it)
		}
		_, err = exampleScope(t).keyCondition(src, keySchema{hash: keyAttribute{"name1", kindS}, sort: keyAttribute{"n", kindN}})
		isAWSError(t, err)
	})
}

// isAWSError reports success, and fails on an error of any other kind.
func isAWSError(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return true
	}
	if _, ok := errors.AsType[*awsproto.Error](err); !ok {
		t.Errorf("not an AWS error: %v", err)
	}
	return false
}

// FuzzItemJSON: what the reader takes, the writer gives back.
func FuzzItemJSON(f *testing.F) {
	f.Add(exampleItem)
	f.Add(`{"a": {"S": "\u00e9\ud83d\ude00"}, "b": {"X": [1, {"y": null}], "N": "1"}, "c": {"S": null, "BOOL": false}}`)
	f.Add(`{"a": {"L": [{"M": {}}]}, "": {"BS": ["AA=="]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		(&scanner{data: []byte(text)}).members(0) // must not panic on malformed input
		var it item
		if json.Unmarshal([]byte(text), &it) != nil || it == nil {
			return
		}
		again := parseItem(t, string(appendItem(nil, it)))
		if !equalMaps(it, again) {
			t.Errorf("%s came back as %s", appendItem(nil, it), appendItem(nil, again))
		}
	})
}
