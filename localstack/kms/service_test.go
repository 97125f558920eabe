package kms_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/kms"
)

func describe(t *testing.T, id string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"KeyId":"`+id+`"}`))
	r.Header.Set("X-Amz-Target", "TrentService.DescribeKey")
	w := httptest.NewRecorder()
	kms.New().ServeHTTP(w, r)
	var out struct {
		KeyMetadata struct {
			Arn        string
			KeyManager string
		}
		Type string `json:"__type"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return w.Code, out.KeyMetadata.Arn + out.Type
}

func TestAServicesOwnKeyIsAlwaysTheSame(t *testing.T) {
	status, arn := describe(t, "alias/aws/dynamodb")
	_, again := describe(t, "arn:aws:kms:us-east-1:000000000000:alias/aws/dynamodb")
	_, other := describe(t, "alias/aws/sqs")
	if status != 200 || arn == "" || arn != again || arn == other {
		t.Errorf("status %d, keys %q, %q by ARN, %q of SQS", status, arn, again, other)
	}
}

func TestNoOtherKeyExists(t *testing.T) {
	for _, id := range []string{"alias/mine", "alias/aws/", "1234abcd-12ab-34cd-56ef-1234567890ab"} {
		if status, kind := describe(t, id); status != 400 || kind != "NotFoundException" {
			t.Errorf("%s: %d %s, want 400 NotFoundException", id, status, kind)
		}
	}
}
