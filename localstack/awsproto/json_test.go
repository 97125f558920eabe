package awsproto_test

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

type queueInput struct {
	QueueName string
	Size      int
}

type queueOutput struct{ QueueURL string }

var jsonAPI = awsproto.JSON{
	Target: "AmazonSQS", Version: "1.0", ErrorNamespace: "com.amazonaws.sqs#",
	Operations: map[string]awsproto.JSONOperation{
		"CreateQueue": awsproto.JSONOp(func(_ context.Context, in *queueInput) (queueOutput, error) {
			return queueOutput{"http://localhost/?a&b/" + in.QueueName}, nil
		}),
		"DeleteQueue": awsproto.JSONOp(func(context.Context, *queueInput) (any, error) { return nil, nil }),
		"GetQueueUrl": awsproto.JSONOp(func(context.Context, *queueInput) (any, error) {
			return nil, &awsproto.Error{
				Status: 400, Code: "QueueDoesNotExist", Message: "none", QueryCode: "AWS.SimpleQueueService.NonExistentQueue",
				Fields: map[string]any{"Item": map[string]string{"k": "v"}},
			}
		}),
		"Break": awsproto.JSONOp(func(context.Context, *queueInput) (any, error) { return nil, errors.New("disk full") }),
		"Odd":   awsproto.JSONOp(func(context.Context, *queueInput) (any, error) { return make(chan int), nil }),
	},
}

func TestJSON(t *testing.T) {
	tests := map[string]struct {
		target, body string
		status       int
		want         string
		queryError   string
	}{
		"an answer, with & and < as they are": {"AmazonSQS.CreateQueue", `{"QueueName":"<q>","Extra":1}`, 200,
			`{"QueueURL":"http://localhost/?a&b/<q>"}`, ""},
		"an empty body is an empty input":   {"AmazonSQS.CreateQueue", ``, 200, `{"QueueURL":"http://localhost/?a&b/"}`, ""},
		"no result is an empty body":        {"AmazonSQS.DeleteQueue", `{}`, 200, ``, ""},
		"an error of AWS, with its members": {"AmazonSQS.GetQueueUrl", `{}`, 400, `{"Item":{"k":"v"},"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"none"}`, "AWS.SimpleQueueService.NonExistentQueue;Sender"},
		"an error of our own":               {"AmazonSQS.Break", `{}`, 500, `{"__type":"com.amazonaws.sqs#InternalFailure","message":"disk full"}`, ""},
		"an answer that cannot be written":  {"AmazonSQS.Odd", `{}`, 500, `{"__type":"com.amazonaws.sqs#InternalFailure","message":"json: unsupported type: chan int"}`, ""},
		"a body that is no JSON":            {"AmazonSQS.CreateQueue", `{`, 400, `{"__type":"com.amazonaws.sqs#SerializationException","message":"Unexpected value in the request body: unexpected end of JSON input"}`, ""},
		"a member of the wrong kind":        {"AmazonSQS.CreateQueue", `{"Size":"big"}`, 400, `{"__type":"com.amazonaws.sqs#SerializationException","message":"string can not be converted to int at \"Size\""}`, ""},
		"an unknown operation":              {"AmazonSQS.Fly", `{}`, 404, `{"__type":"com.amazonaws.sqs#UnknownOperationException","message":"the local cloud has no operation \"AmazonSQS.Fly\""}`, ""},
		"another service's operation":       {"Logs.CreateQueue", `{}`, 404, `{"__type":"com.amazonaws.sqs#UnknownOperationException","message":"the local cloud has no operation \"Logs.CreateQueue\""}`, ""},
		"no operation":                      {"", `{}`, 404, `{"__type":"com.amazonaws.sqs#UnknownOperationException","message":"the local cloud has no operation \"\""}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			call := &awsproto.Call{RequestID: "id"}
			r := httptest.NewRequestWithContext(awsproto.WithCall(t.Context(), call), http.MethodPost, "/", strings.NewReader(tt.body))
			r.Header.Set("X-Amz-Target", tt.target)
			w := httptest.NewRecorder()
			jsonAPI.ServeHTTP(w, r)
			if w.Code != tt.status || w.Body.String() != tt.want {
				t.Errorf("got  %d %s\nwant %d %s", w.Code, w.Body, tt.status, tt.want)
			}
			sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(w.Body.Bytes())), 10)
			for header, want := range map[string]string{
				"Content-Type": "application/x-amz-json-1.0", "X-Amzn-Requestid": "id",
				"X-Amz-Crc32": sum, "X-Amzn-Query-Error": tt.queryError,
			} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
			if call.Unknown != (tt.status == 404) {
				t.Errorf("unknown %v with status %d", call.Unknown, tt.status)
			}
		})
	}
}

func TestTheLogLearnsTheOperation(t *testing.T) {
	call := &awsproto.Call{}
	r := httptest.NewRequestWithContext(awsproto.WithCall(t.Context(), call), http.MethodPost, "/", nil)
	r.Header.Set("X-Amz-Target", "AmazonSQS.DeleteQueue")
	jsonAPI.ServeHTTP(httptest.NewRecorder(), r)
	if call.Operation != "DeleteQueue" || call.Unknown {
		t.Errorf("got %+v", call)
	}
}

// endless is a body that never ends and costs nothing.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestReadBody(t *testing.T) {
	broken := errors.New("connection reset")
	tests := map[string]struct {
		body   io.Reader
		status int
		want   error
	}{
		"a body larger than MaxBody": {endless{}, http.StatusRequestEntityTooLarge, nil},
		"a body that breaks off":     {errReader{broken}, 0, broken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := awsproto.ReadBody(httptest.NewRequest(http.MethodPost, "/", tt.body))
			e, isAWS := errors.AsType[*awsproto.Error](err)
			if tt.status != 0 && (!isAWS || e.Status != tt.status) {
				t.Errorf("got %v, want status %d", err, tt.status)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }
