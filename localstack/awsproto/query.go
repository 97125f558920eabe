package awsproto

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
)

// A QueryOperation takes the request's form and returns the value whose XML
// goes into <Operation>Result. Struct fields become elements by their xml tags;
// a list is written as `xml:"Roles>member"`. A nil value leaves the result out.
type QueryOperation func(ctx context.Context, form url.Values) (any, error)

// Query is a service that speaks the Query protocol: a form with Action and
// Version in, XML out (IAM, STS, CloudWatch).
type Query struct {
	Namespace  string // xmlns of the answers
	Operations map[string]QueryOperation
}

func (s Query) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := CallFrom(r.Context())
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	if err := r.ParseForm(); err != nil {
		s.writeError(w, call, Errorf(400, "MalformedQueryString", "%v", err))
		return
	}
	call.Operation = r.Form.Get("Action")
	op, ok := s.Operations[call.Operation]
	if !ok {
		call.Unknown = true
		s.writeError(w, call, Errorf(400, "InvalidAction",
			"Could not find operation %s for version %s", call.Operation, r.Form.Get("Version")))
		return
	}
	if r.Method != http.MethodPost && !onlyReads(call.Operation) {
		s.writeError(w, call, Errorf(403, "AccessDenied",
			"the local cloud takes %s by POST alone: any web page can make a browser send a %s", call.Operation, r.Method))
		return
	}
	call.Resources = formResources(r.Form)
	if err := call.admit(r, nil); err != nil {
		s.writeError(w, call, AsError(err))
		return
	}
	out, err := op(r.Context(), r.Form)
	if err != nil {
		s.writeError(w, call, AsError(err))
		return
	}
	s.writeResult(w, call, out)
}

// onlyReads goes by AWS's verbs. What has another one must come by POST, as it
// does from all SDKs: a browser tells of a POST which page it is from, but an
// image's address that looks presigned is sent without a word.
func onlyReads(operation string) bool {
	for _, verb := range []string{"Get", "List", "Describe"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

func (s Query) writeResult(w http.ResponseWriter, call *Call, out any) {
	var b bytes.Buffer
	enc := xml.NewEncoder(&b)
	root := start(call.Operation+"Response", s.Namespace)
	err := enc.EncodeToken(root)
	if out != nil && err == nil {
		err = enc.EncodeElement(out, start(call.Operation+"Result", ""))
	}
	if err == nil {
		err = enc.EncodeElement(responseMetadata{call.RequestID}, start("ResponseMetadata", ""))
	}
	if err == nil {
		err = enc.EncodeToken(root.End())
	}
	if err == nil {
		err = enc.Flush()
	}
	if err != nil {
		s.writeError(w, call, AsError(err))
		return
	}
	writeXML(w, call, http.StatusOK, b.Bytes())
}

func (s Query) writeError(w http.ResponseWriter, call *Call, e *Error) {
	fault := "Sender"
	if e.status() >= 500 {
		fault = "Receiver"
	}
	body, _ := xml.Marshal(errorResponse{
		Namespace: s.Namespace, RequestID: call.RequestID,
		Error: errorDetail{Type: fault, Code: cmp.Or(e.QueryCode, e.Code), Message: e.Message},
	})
	writeXML(w, call, e.status(), body)
}

type responseMetadata struct {
	RequestID string `xml:"RequestId"`
}

type errorResponse struct {
	XMLName   xml.Name    `xml:"ErrorResponse"`
	Namespace string      `xml:"xmlns,attr"`
	Error     errorDetail `xml:"Error"`
	RequestID string      `xml:"RequestId"`
}

type errorDetail struct {
	Type, Code, Message string
}

func start(name, namespace string) xml.StartElement {
	e := xml.StartElement{Name: xml.Name{Local: name}}
	if namespace != "" {
		e.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}
	}
	return e
}

func writeXML(w http.ResponseWriter, call *Call, status int, body []byte) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("x-amzn-RequestId", call.RequestID)
	writeBody(w, status, body)
}
