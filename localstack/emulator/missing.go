package emulator

import (
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"fanfare/localstack/awsproto"
)

// notImplemented is the code of every refusal of a whole service. SDKs do not
// retry its status, 501, nor take it for a resource that is gone, as they would
// 404.
const notImplemented = "NotImplemented"

// refuseService answers for a service that the local cloud does not have, or
// not in this protocol, in the shape of the protocol that the caller speaks, so
// that its SDK shows the sentence.
func refuseService(w http.ResponseWriter, r *http.Request, call *awsproto.Call) {
	call.Unknown = true
	call.Operation = r.Method + " " + r.URL.Path
	message := "the local cloud has no service " + call.Service
	switch {
	case call.Service == "":
		message = "the request is not signed for an AWS service"
	case speaksCBOR(r):
		message += " in the protocol rpc-v2-cbor"
	}
	contentType, body := missingAnswer(r, call, message)
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("x-amzn-RequestId", call.RequestID)
	h.Set("x-amzn-ErrorType", notImplemented) // all that REST-JSON reads of the code
	if contentType == typeCBOR {
		h.Set("Smithy-Protocol", protocolCBOR)
	}
	w.WriteHeader(http.StatusNotImplemented)
	_, _ = w.Write(body) // the client has gone: nobody to tell
}

// protocolCBOR is the newest of AWS's protocols. No service here speaks it, and
// the SDKs that this cloud is tested with use it for none of its services.
const protocolCBOR = "rpc-v2-cbor"

func speaksCBOR(r *http.Request) bool { return r.Header.Get("Smithy-Protocol") == protocolCBOR }

const (
	typeCBOR  = "application/cbor"
	typeXML   = "text/xml"
	typeForm  = "application/x-www-form-urlencoded"
	typeJSON  = "application/json"
	typeJSON1 = "application/x-amz-json-1.1"
)

// xmlServices speak REST with XML; the rest of the REST services, JSON.
var xmlServices = map[string]bool{"route53": true, "cloudfront": true, "s3-control": true}

// missingAnswer tells the protocols apart by what each request of them has.
func missingAnswer(r *http.Request, call *awsproto.Call, message string) (contentType string, body []byte) {
	contentType = r.Header.Get("Content-Type")
	inner := errorXML{Code: notImplemented, Message: message}
	switch {
	case speaksCBOR(r):
		return typeCBOR, cborError(message)
	case r.Header.Get("X-Amz-Target") != "":
		call.Operation = r.Header.Get("X-Amz-Target")
		if !strings.HasPrefix(contentType, "application/x-amz-json-") {
			contentType = typeJSON1
		}
		return contentType, jsonError(message)
	case strings.HasPrefix(contentType, typeForm), r.URL.Query().Get("Action") != "":
		r.Body = http.MaxBytesReader(nil, r.Body, maxAdminBody)
		if r.ParseForm() == nil && r.Form.Get("Action") != "" {
			call.Operation = r.Form.Get("Action")
		}
		if call.Service == "ec2" {
			return typeXML, xmlBody(ec2Error{Error: inner, RequestID: call.RequestID})
		}
		return typeXML, xmlBody(queryError{Error: inner, RequestID: call.RequestID})
	case call.Service == "s3", call.Service == "s3express":
		return "application/xml", xmlBody(s3Error{errorXML: inner, RequestID: call.RequestID})
	case xmlServices[call.Service]:
		return typeXML, xmlBody(queryError{Error: inner, RequestID: call.RequestID})
	}
	return typeJSON, jsonError(message)
}

func jsonError(message string) []byte {
	body, _ := json.Marshal(map[string]string{"__type": notImplemented, "message": message}) // texts can always be encoded
	return body
}

// cborError is the map that jsonError has, in CBOR (RFC 8949): one of two
// pairs, all of them texts.
func cborError(message string) []byte {
	body := []byte{0xa2}
	for _, text := range []string{"__type", notImplemented, "message", message} {
		switch n := len(text); {
		case n < 24:
			body = append(body, 0x60|byte(n))
		case n < 256:
			body = append(body, 0x78, byte(n))
		default:
			body = binary.BigEndian.AppendUint16(append(body, 0x79), uint16(min(n, 1<<16-1)))
			text = text[:min(n, 1<<16-1)]
		}
		body = append(body, text...)
	}
	return body
}

// errorXML is what is within <Error> in all XML protocols.
type errorXML struct {
	Code, Message string
}

// The three ways to wrap it: EC2's, S3's, and everybody else's.
type (
	queryError struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Error     errorXML
		RequestID string `xml:"RequestId"`
	}
	ec2Error struct {
		XMLName   xml.Name `xml:"Response"`
		Error     errorXML `xml:"Errors>Error"`
		RequestID string
	}
	s3Error struct {
		XMLName xml.Name `xml:"Error"`
		errorXML
		RequestID string `xml:"RequestId"`
	}
)

func xmlBody(v any) []byte {
	body, _ := xml.Marshal(v) // texts can always be encoded
	return append([]byte(xml.Header), body...)
}
