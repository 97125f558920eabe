package sqs

import (
	"bytes"
	"container/list"
	"maps"
	"strconv"
	"time"
)

// state is where a message stands between sending and deletion.
type state string

const (
	ready    state = "ready"    // visible: the next receive may take it
	delayed  state = "delayed"  // sent with a delay that still runs
	inFlight state = "inFlight" // received, its visibility timeout still runs
)

// record is the part of a message that a snapshot keeps. Body and attributes
// never change once sent.
type record struct {
	ID         string                      `json:"id"`
	Body       string                      `json:"body"`
	Attributes map[string]MessageAttribute `json:"attributes,omitempty"`
	Group      string                      `json:"group,omitempty"` // MessageGroupId
	Trace      string                      `json:"trace,omitempty"` // AWSTraceHeader
	Sender     string                      `json:"sender"`
	Source     string                      `json:"source,omitempty"` // ARN of the queue that this dead letter comes from

	Sent          time.Time `json:"sent"`
	FirstReceived time.Time `json:"firstReceived,omitzero"`
	LastReceived  time.Time `json:"lastReceived,omitzero"`
	Receives      int       `json:"receives"`

	State   state     `json:"state"`
	Visible time.Time `json:"visible,omitzero"` // when the delay or the visibility timeout ends
	Turn    uint64    `json:"turn"`             // order among the ready ones
}

// message is a record with its places in the queue's indexes.
type message struct {
	record
	md5                   string // of the body
	hiddenIndex, ageIndex int
	place                 *list.Element // in its group's ready list
}

func newMessage(r record) *message {
	return &message{record: r, md5: md5Hex(r.Body), hiddenIndex: -1, ageIndex: -1}
}

// A Message is what a receiver gets: the fields of ReceiveMessage's answer,
// with every system attribute.
type Message struct {
	MessageID              string
	ReceiptHandle          string // names this one delivery; Delete and ChangeVisibility take it
	Body                   string
	MD5OfBody              string // hex
	Attributes             map[string]string
	MessageAttributes      map[string]MessageAttribute
	MD5OfMessageAttributes string // hex, "" without message attributes
}

// export copies m for a receiver, so that nothing it does reaches the queue.
func (m *message) export(queueUID string) Message {
	out := Message{
		MessageID:         m.ID,
		ReceiptHandle:     receipt{queueUID, m.ID, m.Receives}.String(),
		Body:              m.Body,
		MD5OfBody:         m.md5,
		Attributes:        m.systemAttributes(),
		MessageAttributes: maps.Clone(m.record.Attributes),
	}
	for name, a := range out.MessageAttributes {
		a.BinaryValue = bytes.Clone(a.BinaryValue)
		out.MessageAttributes[name] = a
	}
	out.MD5OfMessageAttributes = md5OfAttributes(out.MessageAttributes)
	return out
}

// systemAttributes returns what AttributeNames=All shows; times are in
// milliseconds since 1970.
func (m *message) systemAttributes() map[string]string {
	a := map[string]string{
		"SenderId":                         m.Sender,
		"SentTimestamp":                    millis(m.Sent),
		"ApproximateReceiveCount":          strconv.Itoa(m.Receives),
		"ApproximateFirstReceiveTimestamp": millis(m.FirstReceived),
	}
	for name, value := range map[string]string{
		"MessageGroupId": m.Group, "AWSTraceHeader": m.Trace, "DeadLetterQueueSourceArn": m.Source,
	} {
		if value != "" {
			a[name] = value
		}
	}
	return a
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
