package emulator

import (
	"bytes"
	"encoding/json"

	"fanfare/localstack/lambda"
	"fanfare/localstack/sqs"
)

// maxSourceEvent is the size at which a batch is full, in bytes of the event:
// Lambda's quota for the payload of an invoke ("Batching behavior").
const maxSourceEvent = 6 << 20

// sourceBatch is what one invoke gets: messages of the same lineage, in an event
// of at most maxSourceEvent.
type sourceBatch struct {
	messages []sqs.Message
	trace    string // of the first message; all count the same runs
	records  bytes.Buffer
}

const eventHead, eventTail = `{"Records":[`, `]}`

func (b *sourceBatch) event() []byte {
	return append(append([]byte(eventHead), b.records.Bytes()...), eventTail...)
}

// add reports whether the message's record has room.
func (b *sourceBatch) add(msg sqs.Message, record []byte) bool {
	if len(b.messages) > 0 {
		if len(eventHead)+b.records.Len()+1+len(record)+len(eventTail) > maxSourceEvent {
			return false
		}
		b.records.WriteByte(',')
	}
	b.records.Write(record)
	b.messages = append(b.messages, msg)
	return true
}

// divide makes of the messages received as few batches as may be.
//
// It leaves out those that would run the function once too often in a chain of
// requests. As in AWS, a message left out is tried again, and refused again,
// until the queue's redrive policy moves it or its retention ends.
//
// An invoke has one trace header, so messages share one only if their chains
// have run the same functions equally often: AWS counts in each chain for
// itself, that is, for all that was caused by one event ("Use Lambda recursive
// loop detection").
func (p *poller) divide(messages []sqs.Message) (batches []*sourceBatch) {
	open := map[string]*sourceBatch{} // by lineage
	for _, msg := range messages {
		header := msg.Attributes["AWSTraceHeader"]
		lineage, refused := p.cloud.lambda.Lineage(p.mapping.FunctionARN, header)
		if refused {
			p.log.Warn("recursive loop stopped: RecursiveInvocationException", "message", msg.MessageID, "lineage", lineage)
			continue
		}
		record := encodeRecord(newSQSRecord(p.mapping, msg))
		if b := open[lineage]; b != nil && b.add(msg, record) {
			continue
		}
		b := &sourceBatch{trace: header}
		b.add(msg, record)
		open[lineage] = b
		batches = append(batches, b)
	}
	return batches
}

// encodeRecord writes no more than AWS: without Go's escapes for HTML, which
// could make a message of 1 MB larger than an event may be.
func encodeRecord(r sqsRecord) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(r) // strings and bytes only: cannot fail
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// The event of an SQS event source, as in the developer guide's example.
type sqsRecord struct {
	MessageID              string                  `json:"messageId"`
	ReceiptHandle          string                  `json:"receiptHandle"`
	Body                   string                  `json:"body"`
	Attributes             map[string]string       `json:"attributes"`
	MessageAttributes      map[string]sqsAttribute `json:"messageAttributes"`
	MD5OfMessageAttributes string                  `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody              string                  `json:"md5OfBody"`
	EventSource            string                  `json:"eventSource"`
	EventSourceARN         string                  `json:"eventSourceARN"`
	AWSRegion              string                  `json:"awsRegion"`
}

type sqsAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func newSQSRecord(m lambda.Mapping, msg sqs.Message) sqsRecord {
	return sqsRecord{
		MessageID: msg.MessageID, ReceiptHandle: msg.ReceiptHandle, Body: msg.Body,
		Attributes: msg.Attributes, MessageAttributes: sqsAttributes(msg),
		MD5OfMessageAttributes: msg.MD5OfMessageAttributes, MD5OfBody: msg.MD5OfBody,
		EventSource: "aws:sqs", EventSourceARN: m.QueueARN, AWSRegion: m.Region,
	}
}

func sqsAttributes(msg sqs.Message) map[string]sqsAttribute {
	attributes := map[string]sqsAttribute{}
	for name, a := range msg.MessageAttributes {
		attributes[name] = sqsAttribute{
			StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: a.DataType,
			StringListValues: []string{}, BinaryListValues: [][]byte{},
		}
	}
	return attributes
}
