package policy

import "testing"

// [WEB:reference_policies_elements_condition_operators;
// reference_policies_condition-single-vs-multi-valued-context-keys].
func TestConditions(t *testing.T) {
	request := map[string][]string{
		"name": {"Ann"}, "tags": {"a", "b"}, "arn": {"arn:aws:sqs:eu-west-1:000000000000:orders"}, "secure": {"true"},
		"size": {"10"}, "at": {"2024-01-20T11:55:00Z"}, "ip": {"203.0.113.7"}, "ip6": {"2001:db8::1"}, "bytes": {"QmluCg=="},
		"empty": {""}, "none": {}, "user": {"ann"}, "text": {"x"},
	}
	tests := map[string]struct {
		condition string
		want      bool
	}{
		"no condition":                       {`{}`, true},
		"StringEquals":                       {`{"StringEquals":{"name":"Ann"}}`, true},
		"StringEquals minds the case":        {`{"StringEquals":{"name":"ann"}}`, false},
		"StringEquals has no wildcards":      {`{"StringEquals":{"name":"A*"}}`, false},
		"a key's case does not matter":       {`{"StringEquals":{"NAME":"Ann"}}`, true},
		"one of several values":              {`{"StringEquals":{"name":["Bob","Ann"]}}`, true},
		"all keys must hold":                 {`{"StringEquals":{"name":"Ann","user":"bob"}}`, false},
		"all operators must hold":            {`{"StringEquals":{"name":"Ann"},"Bool":{"secure":"false"}}`, false},
		"StringNotEquals":                    {`{"StringNotEquals":{"name":"Bob"}}`, true},
		"StringNotEquals any of them":        {`{"StringNotEquals":{"name":["Bob","Ann"]}}`, false},
		"StringEqualsIgnoreCase":             {`{"StringEqualsIgnoreCase":{"name":"aNN"}}`, true},
		"StringEqualsIgnoreCase, a variable": {`{"StringEqualsIgnoreCase":{"user":"${name}"}}`, true},
		"StringNotEqualsIgnoreCase":          {`{"StringNotEqualsIgnoreCase":{"name":"aNN"}}`, false},
		"StringLike":                         {`{"StringLike":{"name":"A?n*"}}`, true},
		"StringNotLike":                      {`{"StringNotLike":{"name":"A*"}}`, false},
		"a variable":                         {`{"StringEquals":{"user":"${user}"}}`, true},
		"a variable without value":           {`{"StringLike":{"user":"${nope}*"}}`, false},

		"ArnLike":                             {`{"ArnLike":{"arn":"arn:aws:sqs:*:*:o*"}}`, true},
		"ArnLike does not reach across parts": {`{"ArnLike":{"arn":"arn:aws:*:orders"}}`, false},
		"ArnEquals takes wildcards too":       {`{"ArnEquals":{"arn":"arn:aws:sqs:*:*:order?"}}`, true},
		"ArnNotLike":                          {`{"ArnNotLike":{"arn":"arn:aws:sqs:*:*:o*"}}`, false},
		"ArnNotEquals":                        {`{"ArnNotEquals":{"arn":"arn:aws:sqs:*:*:x"}}`, true},
		"ArnLike of what is no ARN":           {`{"ArnLike":{"name":"*"}}`, false},

		"Bool":                              {`{"Bool":{"secure":true}}`, true},
		"Bool, the other":                   {`{"Bool":{"secure":"false"}}`, false},
		"Bool of what is none":              {`{"Bool":{"text":"x"}}`, false},
		"BinaryEquals":                      {`{"BinaryEquals":{"bytes":"QmluCg=="}}`, true},
		"BinaryEquals of what is no base64": {`{"BinaryEquals":{"name":"Ann"}}`, false},
		"NumericEquals":                     {`{"NumericEquals":{"size":10.0}}`, true},
		"NumericNotEquals":                  {`{"NumericNotEquals":{"size":"10"}}`, false},
		"NumericLessThan":                   {`{"NumericLessThan":{"size":10}}`, false},
		"NumericLessThanEquals":             {`{"NumericLessThanEquals":{"size":10}}`, true},
		"NumericGreaterThan, not as text":   {`{"NumericGreaterThan":{"size":9}}`, true},
		"NumericGreaterThanEquals":          {`{"NumericGreaterThanEquals":{"size":11}}`, false},
		"a number that is none":             {`{"NumericLessThan":{"text":1}}`, false},
		"DateEquals, in another zone":       {`{"DateEquals":{"at":"2024-01-20T12:55:00+01:00"}}`, true},
		"DateEquals, in seconds":            {`{"DateEquals":{"at":1705751700}}`, true},
		"DateNotEquals":                     {`{"DateNotEquals":{"at":"2024-01-20T11:55:00Z"}}`, false},
		"DateLessThan a day":                {`{"DateLessThan":{"at":"2024-01-21"}}`, true},
		"DateLessThanEquals, to the minute": {`{"DateLessThanEquals":{"at":"2024-01-20T11:55Z"}}`, true},
		"DateGreaterThan":                   {`{"DateGreaterThan":{"at":"2024-01-20T11:55:00Z"}}`, false},
		"DateGreaterThanEquals":             {`{"DateGreaterThanEquals":{"at":"2024-01-20T11:55:00Z"}}`, true},
		"a date that is none":               {`{"DateLessThan":{"text":"2024-01-21"}}`, false},
		"IpAddress of a network":            {`{"IpAddress":{"ip":"203.0.113.0/24"}}`, true},
		"IpAddress of one":                  {`{"IpAddress":{"ip":["203.0.113.6","203.0.113.7"]}}`, true},
		"IpAddress of another":              {`{"IpAddress":{"ip":"198.51.100.0/24"}}`, false},
		"IpAddress of version 6":            {`{"IpAddress":{"ip6":"2001:DB8::/32"}}`, true},
		"NotIpAddress":                      {`{"NotIpAddress":{"ip":"203.0.113.0/24"}}`, false},
		"an address that is none":           {`{"IpAddress":{"name":"0.0.0.0/0"}}`, false},

		"a missing key":                         {`{"StringEquals":{"nope":"x"}}`, false},
		"a missing key meets a negation":        {`{"StringNotEquals":{"nope":"x"}}`, true},
		"a key without values is missing":       {`{"StringNotEquals":{"none":"x"}}`, true},
		"IfExists, and it does not":             {`{"StringEqualsIfExists":{"nope":"x"}}`, true},
		"IfExists, and it differs":              {`{"StringEqualsIfExists":{"name":"x"}}`, false},
		"IfExists of every value":               {`{"ForAnyValue:StringLikeIfExists":{"nope":"x"}}`, true},
		"Null, and it is missing":               {`{"Null":{"nope":true}}`, true},
		"Null, and it is there":                 {`{"Null":{"name":"true"}}`, false},
		"not Null, and it is there":             {`{"Null":{"name":"false"}}`, true},
		"not Null, and it is missing":           {`{"Null":{"none":"false"}}`, false},
		"an empty value is there":               {`{"Null":{"empty":"false"}}`, true},
		"ForAllValues":                          {`{"ForAllValues:StringEquals":{"tags":["a","b","c"]}}`, true},
		"ForAllValues, one is not":              {`{"ForAllValues:StringEquals":{"tags":["a"]}}`, false},
		"ForAllValues of a missing key":         {`{"ForAllValues:StringEquals":{"nope":"a"}}`, true},
		"ForAllValues, none of them":            {`{"ForAllValues:StringNotEquals":{"tags":["c"]}}`, true},
		"ForAllValues, one of them":             {`{"ForAllValues:StringNotEquals":{"tags":["a"]}}`, false},
		"ForAnyValue":                           {`{"ForAnyValue:StringEquals":{"tags":["x","b"]}}`, true},
		"ForAnyValue, none is":                  {`{"ForAnyValue:StringEquals":{"tags":["x"]}}`, false},
		"ForAnyValue of a missing key":          {`{"ForAnyValue:StringEquals":{"nope":"a"}}`, false},
		"ForAnyValue that is not":               {`{"ForAnyValue:StringNotEquals":{"tags":["a"]}}`, true},
		"ForAnyValue that is not, missing":      {`{"ForAnyValue:StringNotEquals":{"nope":"a"}}`, false},
		"no set operator: any value meets it":   {`{"StringEquals":{"tags":"b"}}`, true},
		"no set operator: none may be excluded": {`{"StringNotEquals":{"tags":"b"}}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			doc := parse(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+tt.condition+`}`)
			if got := Evaluate(Request{Action: "a:b", Resource: "*", Context: request}, doc).Outcome == Allowed; got != tt.want {
				t.Errorf("%s holds: %v", tt.condition, got)
			}
		})
	}
}

func TestAnOperatorThatIsNoneNeverHolds(t *testing.T) {
	doc := &Document{Statements: []Statement{{
		Effect: Allow, Action: []string{"*"}, Resource: []string{"*"},
		Condition: map[string]map[string][]string{"NullIfExists": {"k": {"true"}}},
	}}}
	if d := Evaluate(Request{Action: "a:b", Resource: "*"}, doc); d.Outcome != NoMatch {
		t.Errorf("got %+v", d)
	}
}
