package sqs

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"fanfare/localstack/awsproto"
)

// queueKey tells queues apart: names are unique within a region.
type queueKey struct {
	region, name string
}

func (k queueKey) String() string { return k.region + "/" + k.name }

func (k queueKey) arn() string {
	return fmt.Sprintf("arn:aws:sqs:%s:%s:%s", k.region, awsproto.AccountID, k.name)
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkQueueName(name string) error {
	switch {
	case name == "":
		return missingParameter("QueueName")
	case strings.HasSuffix(name, ".fifo"):
		return unsupported("the local cloud has no FIFO queues: %q ends in .fifo; use a standard queue with MessageGroupId", name)
	case !queueName.MatchString(name):
		return invalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

// parseQueueURL takes the name from a queue URL. Scheme, host and any path in
// front are ignored: a function in a container knows the service by another
// host than the one who created the queue.
func parseQueueURL(raw string) (name string, err error) {
	if raw == "" {
		return "", missingParameter("QueueUrl")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", invalidAddress(raw)
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return "", invalidAddress(raw)
	}
	account, name := parts[len(parts)-2], parts[len(parts)-1]
	if account != awsproto.AccountID || !queueName.MatchString(name) {
		return "", ErrQueueNotFound
	}
	return name, nil
}

// NameInURL is the name of the queue that a QueueUrl is taken for. Of one that is
// none it is "", and every operation refuses it.
func NameInURL(raw string) string {
	name, err := parseQueueURL(raw)
	if err != nil {
		return ""
	}
	return name
}

func invalidAddress(raw string) error {
	return newError("InvalidAddress", "InvalidAddress",
		"The address %s is not valid for this endpoint.", raw)
}

// keyFromURL resolves a QueueUrl in the region of the request.
func keyFromURL(ctx context.Context, raw string) (queueKey, error) {
	name, err := parseQueueURL(raw)
	return queueKey{awsproto.CallFrom(ctx).Region, name}, err
}

// parseARN reads arn:aws:sqs:<region>:<account>:<name> of this account.
func parseARN(arn string) (queueKey, bool) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "sqs" ||
		parts[3] == "" || parts[4] != awsproto.AccountID || !queueName.MatchString(parts[5]) {
		return queueKey{}, false
	}
	return queueKey{region: parts[3], name: parts[5]}, true
}

// A receipt names one receiving of one message of one queue. The queue is named
// by its uid, so that a handle does not survive the queue's deletion.
type receipt struct {
	queue, message string
	receive        int // the message's receive count at that time
}

func (r receipt) String() string {
	return base64.StdEncoding.EncodeToString([]byte(r.queue + " " + r.message + " " + strconv.Itoa(r.receive)))
}

func parseReceipt(handle string) (receipt, error) {
	if handle == "" {
		return receipt{}, missingParameter("ReceiptHandle")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(handle)
	if err != nil {
		return receipt{}, ErrReceiptHandle
	}
	parts := strings.Split(string(raw), " ")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return receipt{}, ErrReceiptHandle
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil || n < 1 {
		return receipt{}, ErrReceiptHandle
	}
	return receipt{parts[0], parts[1], n}, nil
}
