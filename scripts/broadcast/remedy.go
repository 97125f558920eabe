package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// remedy is a hint what to do about an error of AWS, "" if there is none.
func (t *tool) remedy(err error) string {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	switch code := api.ErrorCode(); {
	case strings.HasPrefix(code, "AccessDenied"):
		return "\n(to publish, the caller needs Terraform's output publisher_policy_json; to follow, dynamodb:Query on the table, and GetItem with -key; -dry-run needs Query and BatchGetItem)"
	case strings.HasSuffix(code, "QueueDoesNotExist") || strings.HasSuffix(code, "NonExistentQueue"):
		return fmt.Sprintf("\n(is %s the deployment's broadcast_queue_url, and the account right?)", t.target.queueURL)
	case code == "ResourceNotFoundException":
		return fmt.Sprintf("\n(is %s the deployment's table_name, and %s its region?)", t.target.table, t.target.region)
	}
	return ""
}
