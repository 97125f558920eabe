package sqs

import (
	"encoding/json"
	"errors"
	"maps"
	"testing"

	"fanfare/localstack/awsproto"
)

// A sum that AWS itself gave, as recorded in the tests of several SDKs.
func TestSumOfMessageAttributes(t *testing.T) {
	value := "1493147359900"
	got := md5OfAttributes(map[string]MessageAttribute{"timestamp": {DataType: "Number", StringValue: &value}})
	if want := "235c5c510d26fb653d073faed50ae77c"; got != want {
		t.Errorf("sum = %s, want %s", got, want)
	}
	if got := md5OfAttributes(nil); got != "" {
		t.Errorf("sum of nothing = %q, want none", got)
	}
}

func FuzzParseQueueURL(f *testing.F) {
	for _, seed := range []string{
		"http://localhost:4566/000000000000/orders", "/000000000000/orders", "orders", "", "http://[::1", "a//b/%2F/",
	} {
		f.Add(seed)
	}
	s := New(Options{})
	f.Fuzz(func(t *testing.T, raw string) {
		name, err := parseQueueURL(raw)
		if err != nil {
			if _, ok := errors.AsType[*awsproto.Error](err); !ok {
				t.Errorf("%q: %v is no AWS error", raw, err)
			}
			return
		}
		again, err := parseQueueURL(s.url(queueKey{"us-east-1", name}))
		if err != nil || again != name {
			t.Errorf("%q names %q, whose own URL names %q, %v", raw, name, again, err)
		}
	})
}

func FuzzParseARN(f *testing.F) {
	for _, seed := range []string{
		"arn:aws:sqs:us-east-1:000000000000:orders", "arn:aws:sqs::000000000000:orders", "arn:aws:sqs:us-east-1:1:orders", "::::::",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arn string) {
		if k, ok := parseARN(arn); ok && k.arn() != arn {
			t.Errorf("%q was read as %q", arn, k.arn())
		}
	})
}

func FuzzParseReceipt(f *testing.F) {
	f.Add(receipt{"queue", "message", 3}.String())
	f.Add("bm8=")
	f.Fuzz(func(t *testing.T, handle string) {
		r, err := parseReceipt(handle)
		if err != nil {
			return
		}
		if again, err := parseReceipt(r.String()); err != nil || again != r {
			t.Errorf("%q: %+v became %+v, %v", handle, r, again, err)
		}
	})
}

// Whatever is accepted as an attribute must be stable: showing it and setting
// what was shown changes nothing, or Terraform never comes to rest.
func FuzzNormalizeAttribute(f *testing.F) {
	for name, value := range map[string]string{
		"VisibilityTimeout": "+030", "Policy": `{"Statement":{"Effect":"Deny","Principal":"*","Action":"sqs:*"}}`, "SqsManagedSseEnabled": "true", "RedriveAllowPolicy": `{"redrivePermission":"allowAll"}`,
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":"3"}`,
	} {
		f.Add(name, value)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		shown, err := normalizeAttribute(name, value)
		if err != nil {
			return
		}
		again, err := normalizeAttribute(name, shown)
		if err != nil || again != shown {
			t.Errorf("%s=%q is shown as %q, which is then %q, %v", name, value, shown, again, err)
		}
		a := defaultAttributes().merge(attributes{name: shown})
		a.settings() // must not panic
	})
}

func FuzzMessageAttributes(f *testing.F) {
	f.Add("order.id", `{"DataType":"String","StringValue":"x"}`)
	f.Add("n", `{"DataType":"Number.int","StringValue":"-1.5e3"}`)
	f.Add("b", `{"DataType":"Binary","BinaryValue":"AAE="}`)
	f.Fuzz(func(t *testing.T, name, body string) {
		var a MessageAttribute
		if json.Unmarshal([]byte(body), &a) != nil {
			return
		}
		attrs := map[string]MessageAttribute{name: a}
		if checkMessageAttributes(attrs) != nil {
			return
		}
		if (a.StringValue == nil) == (a.BinaryValue == nil) {
			t.Errorf("accepted %q with not exactly one value", body)
		}
		if sum := md5OfAttributes(attrs); sum != md5OfAttributes(maps.Clone(attrs)) || len(sum) != 32 {
			t.Errorf("sum of %q = %q", body, sum)
		}
	})
}
