package sts_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/sts"
)

// FuzzForms: whatever a form holds, the answer is well-formed XML, and an error
// only of those that are the client's fault.
func FuzzForms(f *testing.F) {
	for _, form := range []string{
		`Action=GetCallerIdentity&Version=2011-06-15`,
		`Action=AssumeRole&RoleArn=arn:aws:iam::000000000000:role/r&RoleSessionName=s&DurationSeconds=900`,
		`Action=AssumeRole&RoleArn=x&RoleSessionName=&Policy=%7B%7D&Tags.member.1.Key=a`,
		`Action=GetAccessKeyInfo&AccessKeyId=AKIAIOSFODNN7EXAMPLE`,
		"Action=Nothing", "Version=1", "%zz", "", ".=&Action=&a.b=c",
	} {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, form string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		call := &awsproto.Call{Region: "us-east-1", Credential: awsproto.Credential{AccessKeyID: "AKIA"}}
		r = r.WithContext(awsproto.WithCall(r.Context(), call))
		sts.New(sts.Options{}).ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", form, w.Code, w.Body)
		}
		d := xml.NewDecoder(w.Body)
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatalf("%q: the answer is no XML: %v", form, err)
			}
		}
	})
}
