package kms_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"fanfare/localstack/kms"
)

// Terraform asks for the key of an encrypted table; one's own keys are not there.
func Example() {
	keys := kms.New()
	for _, id := range []string{"alias/aws/dynamodb", "alias/mine"} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(`{"KeyId":"`+id+`"}`))
		r.Header.Set("X-Amz-Target", "TrentService.DescribeKey")
		answer := httptest.NewRecorder()
		keys.ServeHTTP(answer, r)
		fmt.Println(id, answer.Code)
	}
	// Output:
	// alias/aws/dynamodb 200
	// alias/mine 400
}
