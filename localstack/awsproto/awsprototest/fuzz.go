// Package awsprototest holds what the tests of the local cloud's services share:
//
//	func FuzzForms(f *testing.F) {
//		awsprototest.FuzzForms(f, func() http.Handler { return sts.New(sts.Options{}) }, "Action=GetCallerIdentity")
//	}
package awsprototest

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

// FuzzForms sends forms to services of the Query protocol, a new one for each:
// whatever a form holds, the answer is well-formed XML, and an error only of
// those that are the client's fault. To the seeds it adds forms that are none.
func FuzzForms(f *testing.F, service func() http.Handler, seeds ...string) {
	for _, form := range append(seeds, "Action=Nothing", "Version=1", "%zz", "", ".=&Action=&a.b=c") {
		f.Add(form)
	}
	f.Fuzz(func(t *testing.T, form string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		call := &awsproto.Call{Region: awsproto.DefaultRegion, Credential: awsproto.Credential{AccessKeyID: "AKIA"}}
		w := httptest.NewRecorder()
		service().ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), call)))
		if w.Code >= http.StatusInternalServerError {
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
