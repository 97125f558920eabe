package sqs

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"regexp"
	"slices"
	"strings"
)

const (
	maxMessageBytes      = 1 << 20 // 1 MiB: body plus attributes, and a whole batch
	maxMessageAttributes = 10
	maxAttributeName     = 256
)

// check refuses what SQS would not take from a sender. maxBytes is the queue's
// MaximumMessageSize.
func (o *outgoing) check(maxBytes int) error {
	if o.MessageBody == "" {
		return missingParameter("MessageBody")
	}
	if !validText(o.MessageBody) {
		return invalidContents()
	}
	if o.MessageDeduplicationID != "" {
		return invalidValue(o.MessageDeduplicationID, "MessageDeduplicationId",
			"The request includes a parameter that is not valid for this queue type.")
	}
	if o.MessageGroupID != "" && !groupID.MatchString(o.MessageGroupID) {
		return invalidValue(o.MessageGroupID, "MessageGroupId",
			"MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	if d := o.DelaySeconds; d != nil && (*d < 0 || *d > 900) {
		return invalidValue(*d, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	}
	if err := checkMessageAttributes(o.MessageAttributes); err != nil {
		return err
	}
	if err := checkSystemAttributes(o.MessageSystemAttributes); err != nil {
		return err
	}
	if o.size() > maxBytes {
		return invalidParameter("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxBytes)
	}
	return nil
}

// size is what counts towards the limits: body, and each attribute's name, type
// and value. System attributes do not count.
func (o *outgoing) size() int {
	n := len(o.MessageBody)
	for name, a := range o.MessageAttributes {
		n += len(name) + len(a.DataType) + len(a.BinaryValue)
		if a.StringValue != nil {
			n += len(*a.StringValue)
		}
	}
	return n
}

var groupID = regexp.MustCompile(`^[!-~]{1,128}$`)

// validText holds s to the characters of XML 1.0, which SQS still insists on
// although JSON could carry more.
func validText(s string) bool {
	for _, r := range s {
		switch {
		case r == '\t', r == '\n', r == '\r':
		case r >= 0x20 && r <= 0xD7FF:
		case r >= 0xE000 && r <= 0xFFFD:
		case r >= 0x10000:
		default:
			return false
		}
	}
	return true
}

func invalidContents() error {
	return newError("InvalidMessageContents", "InvalidMessageContents",
		"Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.")
}

var (
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	attributeType = regexp.MustCompile(`^(String|Number|Binary)(\.[^\x00-\x1f]+)?$`)
	numberValue   = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$`)
)

// checkMessageAttributes follows
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
func checkMessageAttributes(attrs map[string]MessageAttribute) error {
	if len(attrs) > maxMessageAttributes {
		return invalidParameter("Number of message attributes [%d] exceeds the allowed maximum [%d].",
			len(attrs), maxMessageAttributes)
	}
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		if err := checkAttributeName(name); err != nil {
			return err
		}
		if err := checkAttributeValue(name, attrs[name]); err != nil {
			return err
		}
	}
	return nil
}

func checkAttributeName(name string) error {
	lower := strings.ToLower(name)
	switch {
	case len(name) > maxAttributeName:
		return invalidParameter("Message (user) attribute name can not be longer than %d characters.", maxAttributeName)
	case !attributeName.MatchString(name):
		return invalidParameter("Message (user) attribute name %q is invalid: it may contain A-Z, a-z, 0-9, underscore, "+
			"hyphen and single periods inside.", name)
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return invalidParameter("Message (user) attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon.")
	}
	return nil
}

func checkAttributeValue(name string, a MessageAttribute) error {
	if len(a.StringListValues)+len(a.BinaryListValues) > 0 {
		return unsupported("Message attribute list values in SendMessage operation are not supported.")
	}
	if len(a.DataType) > maxAttributeName || !attributeType.MatchString(a.DataType) {
		return invalidParameter("The type of message (user) attribute '%s' is invalid. You must use only the following "+
			"supported type prefixes: Binary, Number, String.", name)
	}
	kind, _, _ := strings.Cut(a.DataType, ".")
	if kind == "Binary" {
		if len(a.BinaryValue) == 0 || a.StringValue != nil {
			return emptyAttribute(name, a.DataType)
		}
		return nil
	}
	if a.StringValue == nil || *a.StringValue == "" || a.BinaryValue != nil {
		return emptyAttribute(name, a.DataType)
	}
	if !validText(*a.StringValue) {
		return invalidContents()
	}
	if kind == "Number" && !numberValue.MatchString(*a.StringValue) {
		return invalidParameter("Can't cast the value of message (user) attribute '%s' to a number.", name)
	}
	return nil
}

func emptyAttribute(name, dataType string) error {
	return invalidParameter("Message (user) attribute '%s' must contain a non-empty value of type '%s', and no other value.",
		name, dataType)
}

// checkSystemAttributes allows the one that a sender may set: AWSTraceHeader.
func checkSystemAttributes(attrs map[string]MessageAttribute) error {
	for name, a := range attrs {
		if name != "AWSTraceHeader" {
			return invalidParameter("Message system attribute name '%s' is invalid.", name)
		}
		if a.DataType != "String" || a.StringValue == nil || *a.StringValue == "" || a.BinaryValue != nil {
			return invalidParameter("Message system attribute 'AWSTraceHeader' must contain a non-empty value of type 'String'.")
		}
	}
	return nil
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// md5OfAttributes is the sum that SDKs check, "" for no attributes: over the
// attributes sorted by name, each as length-prefixed name, type and value, with
// a byte before the value that tells text (1) from bytes (2).
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func md5OfAttributes(attrs map[string]MessageAttribute) string {
	if len(attrs) == 0 {
		return ""
	}
	h := md5.New()
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		writeSized(h, []byte(name))
		writeSized(h, []byte(a.DataType))
		if a.StringValue != nil {
			h.Write([]byte{1})
			writeSized(h, []byte(*a.StringValue))
		} else {
			h.Write([]byte{2})
			writeSized(h, a.BinaryValue)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func writeSized(h hash.Hash, b []byte) {
	h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
	h.Write(b)
}
