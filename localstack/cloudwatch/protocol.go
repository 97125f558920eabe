package cloudwatch

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"fanfare/localstack/awsproto"
)

// cborPath is where SDKs of 2025 and later call CloudWatch by default.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
const cborPath = "/service/GraniteServiceVersion20100801/operation/"

// refuseOtherProtocol answers requests in CBOR and JSON with an error in their
// own protocol, so that the SDK shows the reason and not a parse error.
func refuseOtherProtocol(w http.ResponseWriter, r *http.Request) bool {
	if operation, ok := strings.CutPrefix(r.URL.Path, cborPath); ok {
		e := refusal(r, operation, "smithy-rpc-v2-cbor")
		w.Header().Set("smithy-protocol", "rpc-v2-cbor")
		body := cborMap("__type", e.Code, "message", e.Message)
		writeRefusal(w, r, "application/cbor", body)
		return true
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, operation, _ := strings.Cut(target, ".")
		e := refusal(r, operation, "AWS JSON")
		body, _ := json.Marshal(map[string]string{"__type": e.Code, "message": e.Message}) // strings always marshal
		writeRefusal(w, r, "application/x-amz-json-1.0", body)
		return true
	}
	return false
}

func refusal(r *http.Request, operation, protocol string) *awsproto.Error {
	call := awsproto.CallFrom(r.Context())
	call.Operation, call.Unknown = operation, true
	return unsupported("does not speak %s with CloudWatch, only the Query protocol (%.64s)", protocol, operation)
}

// writeRefusal uses 400, because SDKs try 5xx again.
func writeRefusal(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("x-amzn-RequestId", awsproto.CallFrom(r.Context()).RequestID)
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write(body) // the client has gone: nobody to tell
}

// cborMap encodes pairs of texts as a CBOR map (RFC 8949, major types 5 and 3).
func cborMap(pairs ...string) []byte {
	b := []byte{0xa0 | byte(len(pairs)/2)}
	for _, text := range pairs {
		b = append(b, 0x79) // text whose length follows in two bytes
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
		b = append(b, text...)
	}
	return b
}

// decompressed is r's body without the gzip that SDKs put around 10 KB and more
// of PutMetricData. A body that cannot be read fails at the first Read, where
// Query answers it; Query also bounds how much is read.
func decompressed(r *http.Request) io.ReadCloser {
	var plain io.Reader
	var err error
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return r.Body
	case "gzip":
		plain, err = gzip.NewReader(r.Body)
	default:
		err = fmt.Errorf("the local cloud does not read Content-Encoding %q", encoding)
	}
	if err != nil {
		plain = failing{err}
	}
	return struct {
		io.Reader
		io.Closer
	}{plain, r.Body}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
