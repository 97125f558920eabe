package sqs

// The wire shapes, named after their operations as in
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
// A pointer tells an absent number from zero.

type createQueueInput struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}

type queueURLOutput struct {
	QueueURL string `json:"QueueUrl"`
}

type queueInput struct {
	QueueURL string `json:"QueueUrl"`
}

type getQueueURLInput struct {
	QueueName              string
	QueueOwnerAWSAccountID string `json:"QueueOwnerAWSAccountId"`
}

type listQueuesInput struct {
	QueueNamePrefix string
	MaxResults      *int
	NextToken       string
}

type listQueuesOutput struct {
	QueueURLs []string `json:"QueueUrls,omitempty"`
	NextToken string   `json:",omitempty"`
}

type listDeadLetterSourceQueuesInput struct {
	QueueURL   string `json:"QueueUrl"`
	MaxResults *int
	NextToken  string
}

// listDeadLetterSourceQueuesOutput differs from listQueuesOutput by one letter.
type listDeadLetterSourceQueuesOutput struct {
	QueueURLs []string `json:"queueUrls"`
	NextToken string   `json:",omitempty"`
}

type getQueueAttributesInput struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}

type getQueueAttributesOutput struct {
	Attributes map[string]string `json:",omitempty"`
}

type setQueueAttributesInput struct {
	QueueURL   string `json:"QueueUrl"`
	Attributes map[string]string
}

type tagQueueInput struct {
	QueueURL string `json:"QueueUrl"`
	Tags     map[string]string
}

type untagQueueInput struct {
	QueueURL string `json:"QueueUrl"`
	TagKeys  []string
}

type listQueueTagsOutput struct {
	Tags map[string]string `json:",omitempty"`
}

// MessageAttribute is a user's attribute of a message: DataType is String,
// Number or Binary, optionally with a label ("Number.int"). The lists exist in
// the API, but SQS has never implemented them.
type MessageAttribute struct {
	DataType         string
	StringValue      *string  `json:",omitempty"`
	BinaryValue      []byte   `json:",omitempty"`
	StringListValues []string `json:",omitempty"`
	BinaryListValues [][]byte `json:",omitempty"`
}

// outgoing is what one message consists of when it is sent, alone or in a batch.
type outgoing struct {
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]MessageAttribute
	MessageSystemAttributes map[string]MessageAttribute
	MessageDeduplicationID  string `json:"MessageDeduplicationId"`
	MessageGroupID          string `json:"MessageGroupId"`
}

type sendMessageInput struct {
	QueueURL string `json:"QueueUrl"`
	outgoing
}

type sendMessageOutput struct {
	MessageID                    string `json:"MessageId"`
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string `json:",omitempty"`
	MD5OfMessageSystemAttributes string `json:",omitempty"`
}

type sendMessageBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []sendMessageBatchEntry
}

type sendMessageBatchEntry struct {
	ID string `json:"Id"`
	outgoing
}

type sendMessageBatchResult struct {
	ID string `json:"Id"`
	sendMessageOutput
}

type receiveMessageInput struct {
	QueueURL                    string `json:"QueueUrl"`
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	ReceiveRequestAttemptID     string `json:"ReceiveRequestAttemptId"`
}

type receiveMessageOutput struct {
	Messages []receivedMessage `json:",omitempty"`
}

type receivedMessage struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             map[string]string           `json:",omitempty"`
	MessageAttributes      map[string]MessageAttribute `json:",omitempty"`
	MD5OfMessageAttributes string                      `json:",omitempty"`
}

type deleteMessageInput struct {
	QueueURL      string `json:"QueueUrl"`
	ReceiptHandle string
}

type deleteMessageBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []deleteMessageBatchEntry
}

type deleteMessageBatchEntry struct {
	ID            string `json:"Id"`
	ReceiptHandle string
}

type changeMessageVisibilityInput struct {
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

type changeMessageVisibilityBatchInput struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []changeMessageVisibilityBatchEntry
}

type changeMessageVisibilityBatchEntry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

// batchOutput is the answer of the three batch operations.
type batchOutput[T any] struct {
	Successful []T            `json:",omitempty"`
	Failed     []batchFailure `json:",omitempty"`
}

type batchID struct {
	ID string `json:"Id"`
}

type batchFailure struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

type startMessageMoveTaskInput struct {
	SourceARN                    string `json:"SourceArn"`
	DestinationARN               string `json:"DestinationArn"`
	MaxNumberOfMessagesPerSecond *int
}

type startMessageMoveTaskOutput struct {
	TaskHandle string
}

type listMessageMoveTasksInput struct {
	SourceARN  string `json:"SourceArn"`
	MaxResults *int
}

type listMessageMoveTasksOutput struct {
	Results []moveTask `json:",omitempty"`
}

// moveTask is one finished redrive, as ListMessageMoveTasks shows it.
type moveTask struct {
	SourceARN        string `json:"SourceArn"`
	DestinationARN   string `json:"DestinationArn,omitempty"`
	Status           string // COMPLETED or FAILED
	FailureReason    string `json:",omitempty"`
	Moved            int64  `json:"ApproximateNumberOfMessagesMoved"`
	ToMove           int64  `json:"ApproximateNumberOfMessagesToMove"`
	StartedTimestamp int64  // milliseconds since 1970
}

// none is the answer of operations that answer nothing: "{}".
type none struct{}
