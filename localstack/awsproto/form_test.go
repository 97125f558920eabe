package awsproto_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/awsproto"
)

type formTag struct{ Key, Value string }

type formQuery struct {
	ID         string `xml:"Id"`
	ReturnData *bool
	Metric     *formMetric
}

type formMetric struct {
	Name       string
	Dimensions awsproto.Members[formTag]
}

type formCommon struct{ Marker string }

type formInput struct {
	formCommon
	Name      string
	Period    int
	Threshold *float64
	StartTime *time.Time
	Enabled   bool
	Actions   []string
	Tags      awsproto.Members[formTag]
	Queries   []formQuery
	Secret    string `form:"-"`
}

func ExampleDecodeForm() {
	form, _ := url.ParseQuery("Action=TagRole&Version=2010-05-08&Role=r1&Tags.member.1.Key=team&Tags.member.1.Value=chat")
	var in struct {
		Role string
		Tags awsproto.Members[struct{ Key, Value string }]
	}
	fmt.Println(awsproto.DecodeForm(form, &in), in.Role, in.Tags)
	// Output: <nil> r1 [{team chat}]
}

func TestDecodeForm(t *testing.T) {
	truth, half := true, 0.5
	noon := time.Date(2024, 1, 20, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		form string
		want formInput
	}{
		"an empty form leaves the zero value": {"", formInput{}},
		"scalars": {"Name=n&Period=60&Threshold=0.5&Enabled=true&StartTime=2024-01-20T12:00:00Z",
			formInput{Name: "n", Period: 60, Threshold: &half, Enabled: true, StartTime: &noon}},
		"times come out in UTC":        {"StartTime=2024-01-20T13:00:00%2B01:00", formInput{StartTime: &noon}},
		"embedded structs are inlined": {"Marker=m", formInput{formCommon: formCommon{Marker: "m"}}},
		"Action, Version and a presigned signature are not the operation's": {"Action=A&Version=1&X-Amz-Date=d&Name=n", formInput{Name: "n"}},
		"a list of strings in the order of its numbers": {"Actions.member.10=c&Actions.member.2=b&Actions.member.1=a",
			formInput{Actions: []string{"a", "b", "c"}}},
		"a list of structures": {"Tags.member.1.Key=k&Tags.member.1.Value=v&Tags.member.2.Key=l",
			formInput{Tags: awsproto.Members[formTag]{{"k", "v"}, {"l", ""}}}},
		"an empty list is there, but empty": {"Tags=", formInput{Tags: awsproto.Members[formTag]{}}},
		"structures in lists in structures in lists": {
			"Queries.member.1.Id=m1&Queries.member.1.ReturnData=true&Queries.member.1.Metric.Name=x&" +
				"Queries.member.1.Metric.Dimensions.member.1.Key=d&Queries.member.2.Id=e1",
			formInput{Queries: []formQuery{
				{ID: "m1", ReturnData: &truth, Metric: &formMetric{"x", awsproto.Members[formTag]{{Key: "d"}}}},
				{ID: "e1"},
			}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			form, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			var got formInput
			if err := awsproto.DecodeForm(form, &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestDecodeFormRefuses(t *testing.T) {
	tests := map[string]struct{ form, code, names string }{
		"a number that is none":             {"Period=ten", "MalformedInput", "Period"},
		"a boolean that is none":            {"Enabled=1", "MalformedInput", "Enabled"},
		"a time that is none":               {"StartTime=noon", "MalformedInput", "StartTime"},
		"text that is not UTF-8":            {"Name=%FF", "MalformedInput", "Name"},
		"a structure for a scalar":          {"Name.First=a", "MalformedInput", "Name"},
		"a scalar for a structure":          {"Queries.member.1=a", "MalformedInput", "Queries.member.1"},
		"a scalar for a list":               {"Tags=a", "MalformedInput", "Tags"},
		"a list without member":             {"Tags.1.Key=a", "MalformedInput", "Tags"},
		"a list index that is none":         {"Tags.member.one.Key=a", "MalformedInput", "Tags.member"},
		"a list index twice":                {"Tags.member.01.Key=a", "MalformedInput", "Tags.member"},
		"an unknown parameter by its name":  {"Colour=red", "ValidationError", "Colour"},
		"an unknown member deep inside":     {"Queries.member.1.Metric.Unit=s", "ValidationError", "Queries.member.1.Metric.Unit"},
		"what must not be set from outside": {"Secret=s", "ValidationError", "Secret"},
		"a name of dots without end":        {strings.Repeat("a.", 100_000) + "=b", "ValidationError", "a"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			form, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			e, ok := errors.AsType[*awsproto.Error](awsproto.DecodeForm(form, new(formInput)))
			if !ok || e.Code != tt.code || !strings.Contains(e.Message, tt.names) {
				t.Errorf("got %v, want %s about %s", e, tt.code, tt.names)
			}
		})
	}
}

func TestFormOpRunsOnlyOnAGoodForm(t *testing.T) {
	ran := false
	api := awsproto.Query{Operations: map[string]awsproto.QueryOperation{
		"Put": awsproto.FormOp(func(context.Context, *formInput) (any, error) {
			ran = true
			return nil, nil
		}),
	}}
	for form, want := range map[string]bool{"Action=Put&Period=x": false, "Action=Put&Period=1": true} {
		ran = false
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		api.ServeHTTP(w, r)
		if ran != want || (w.Code == http.StatusOK) != want {
			t.Errorf("%s: ran %v with status %d, want %v", form, ran, w.Code, want)
		}
	}
}

func TestMembersWriteTheirElementEvenWhenEmpty(t *testing.T) {
	type answer struct {
		XMLName xml.Name `xml:"Answer"`
		Tags    awsproto.Members[formTag]
		Names   awsproto.Members[string]
		Rest    awsproto.Members[string] `xml:",omitempty"`
	}
	tests := map[string]struct {
		in   answer
		want string
	}{
		"empty": {answer{}, `<Answer><Tags></Tags><Names></Names></Answer>`},
		"full": {answer{Tags: awsproto.Members[formTag]{{"k", "v<"}}, Names: []string{"a", "b"}, Rest: []string{"c"}},
			`<Answer><Tags><member><Key>k</Key><Value>v&lt;</Value></member></Tags>` +
				`<Names><member>a</member><member>b</member></Names><Rest><member>c</member></Rest></Answer>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := xml.Marshal(tt.in)
			if err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func FuzzDecodeForm(f *testing.F) {
	f.Add("Name=n&Period=60&Tags.member.1.Key=k")
	f.Add("Queries.member.1.Metric.Dimensions.member.1.Key=d")
	f.Add("Tags=&Tags.member.0.Key=")
	f.Add(".=&..member..=1")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			t.Skip("not a form")
		}
		var first, second formInput
		err1, err2 := awsproto.DecodeForm(form, &first), awsproto.DecodeForm(form, &second)
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("the same form gave %v and %v", err1, err2)
		}
		if err1 != nil {
			if _, ok := errors.AsType[*awsproto.Error](err1); !ok {
				t.Fatalf("%v is no AWS error", err1)
			}
			return
		}
		if fmt.Sprintf("%+v", first.Tags) != fmt.Sprintf("%+v", second.Tags) || first.Secret != "" {
			t.Fatalf("got %+v and %+v", first, second)
		}
	})
}
