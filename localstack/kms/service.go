// Package kms knows the keys that AWS manages for its own services
// (alias/aws/dynamodb and the like), because Terraform asks for them when a
// table or queue is encrypted with one. Nothing is encrypted here, and keys of
// one's own cannot be made: every other operation is refused as unknown.
package kms

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"fanfare/localstack/awsproto"
)

// Service is the KMS of the local cloud. It has no state.
type Service struct{ api awsproto.JSON }

// New returns a Service.
func New() *Service {
	return &Service{api: awsproto.JSON{
		Target: "TrentService", Version: "1.1",
		Operations: map[string]awsproto.JSONOperation{"DescribeKey": awsproto.JSONOp(describeKey)},
	}}
}

// ServeHTTP serves the KMS API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.api.ServeHTTP(w, r) }

type describeKeyInput struct {
	KeyID string `json:"KeyId"`
}

type describeKeyOutput struct {
	KeyMetadata keyMetadata
}

type keyMetadata struct {
	AWSAccountID string `json:"AWSAccountId"`
	KeyID        string `json:"KeyId"`
	ARN          string `json:"Arn"`
	Description  string
	Enabled      bool
	KeyManager   string
	KeySpec      string
	KeyState     string
	KeyUsage     string
	Origin       string
}

const managedAlias = "alias/aws/"

func describeKey(ctx context.Context, in *describeKeyInput) (*describeKeyOutput, error) {
	alias := in.KeyID
	if i := strings.Index(alias, ":"+managedAlias); i >= 0 { // given as an ARN
		alias = alias[i+1:]
	}
	service, ok := strings.CutPrefix(alias, managedAlias)
	if !ok || service == "" {
		return nil, awsproto.Errorf(http.StatusBadRequest, "NotFoundException",
			"Key '%s' does not exist: the local cloud has only the keys that AWS manages, such as alias/aws/dynamodb", in.KeyID)
	}
	id := keyID(service)
	return &describeKeyOutput{keyMetadata{
		AWSAccountID: awsproto.AccountID, KeyID: id, ARN: awsproto.ARN(ctx, "kms", "key/"+id),
		Description: "Default key that protects my " + service + " data when no other key is defined",
		Enabled:     true, KeyManager: "AWS", KeySpec: "SYMMETRIC_DEFAULT", KeyState: "Enabled",
		KeyUsage: "ENCRYPT_DECRYPT", Origin: "AWS_KMS",
	}}, nil
}

// keyID is the same UUID for a service at every call: it ends up in Terraform's
// state.
func keyID(service string) string {
	h := sha256.Sum256([]byte(service))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
