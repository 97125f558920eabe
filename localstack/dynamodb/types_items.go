package dynamodb

import "encoding/json"

// Wire shapes of the data plane.

// legacy holds the parameters that expressions have replaced. They are
// refused, not ignored.
type legacy struct {
	AttributesToGet     json.RawMessage
	AttributeUpdates    json.RawMessage
	ConditionalOperator json.RawMessage
	Expected            json.RawMessage
	KeyConditions       json.RawMessage
	QueryFilter         json.RawMessage
	ScanFilter          json.RawMessage
}

type getItemInput struct {
	TableName                string
	Key                      item
	ConsistentRead           bool
	ProjectionExpression     *string
	ExpressionAttributeNames expressionNames
	ReturnConsumedCapacity   string
	legacy
}

type getItemOutput struct {
	Item             *item             `json:",omitempty"` // nil: no such item
	ConsumedCapacity *consumedCapacity `json:",omitempty"`
}

// writeParameters are common to the single writes and the actions of a
// transaction.
type writeParameters struct {
	TableName                           string
	ConditionExpression                 *string
	ExpressionAttributeNames            expressionNames
	ExpressionAttributeValues           expressionValues
	ReturnValuesOnConditionCheckFailure string
}

// answerParameters are what single writes may ask to be told.
type answerParameters struct {
	ReturnValues                string
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
	legacy
}

type putItemInput struct {
	Item item
	writeParameters
	answerParameters
}

type deleteItemInput struct {
	Key item
	writeParameters
	answerParameters
}

type updateItemInput struct {
	Key              item
	UpdateExpression *string
	writeParameters
	answerParameters
}

type writeOutput struct {
	Attributes       item              `json:",omitempty"`
	ConsumedCapacity *consumedCapacity `json:",omitempty"`
}

// pageParameters are common to Query and Scan.
type pageParameters struct {
	TableName                 string
	IndexName                 string
	ConsistentRead            bool
	ExclusiveStartKey         item
	ExpressionAttributeNames  expressionNames
	ExpressionAttributeValues expressionValues
	FilterExpression          *string
	Limit                     *int
	ProjectionExpression      *string
	ReturnConsumedCapacity    string
	Select                    string
	legacy
}

type queryInput struct {
	KeyConditionExpression *string
	ScanIndexForward       *bool
	pageParameters
}

type scanInput struct {
	Segment       *int
	TotalSegments *int
	pageParameters
}

type pageOutput struct {
	Items            *[]item `json:",omitempty"` // absent for Select COUNT
	Count            int
	ScannedCount     int
	LastEvaluatedKey item              `json:",omitempty"`
	ConsumedCapacity *consumedCapacity `json:",omitempty"`
}

type keysAndAttributes struct {
	Keys                     []item
	ConsistentRead           bool            `json:",omitempty"`
	ProjectionExpression     *string         `json:",omitempty"`
	ExpressionAttributeNames expressionNames `json:",omitempty"`
	AttributesToGet          json.RawMessage `json:",omitempty"`
}

type batchGetInput struct {
	RequestItems           map[string]keysAndAttributes
	ReturnConsumedCapacity string
}

type batchGetOutput struct {
	Responses        map[string][]item
	UnprocessedKeys  map[string]keysAndAttributes
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
}

type writeRequest struct {
	PutRequest    *struct{ Item item }
	DeleteRequest *struct{ Key item }
}

type batchWriteInput struct {
	RequestItems                map[string][]writeRequest
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
}

type batchWriteOutput struct {
	UnprocessedItems map[string][]writeRequest
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
}

type transactPut struct {
	Item item
	writeParameters
}

type transactDelete struct {
	Key item
	writeParameters
}

type transactUpdate struct {
	Key              item
	UpdateExpression *string
	writeParameters
}

type transactWriteItem struct {
	ConditionCheck *transactDelete
	Put            *transactPut
	Delete         *transactDelete
	Update         *transactUpdate
}

type transactWriteInput struct {
	TransactItems               []transactWriteItem
	ClientRequestToken          string
	ReturnConsumedCapacity      string
	ReturnItemCollectionMetrics string
}

type transactWriteOutput struct {
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
}

type cancellationReason struct {
	Code    string
	Message string `json:",omitempty"`
	Item    item   `json:",omitempty"`
}

type transactGet struct {
	TableName                string
	Key                      item
	ProjectionExpression     *string
	ExpressionAttributeNames expressionNames
}

type transactGetInput struct {
	TransactItems          []struct{ Get *transactGet }
	ReturnConsumedCapacity string
}

type itemResponse struct {
	Item *item `json:",omitempty"`
}

type transactGetOutput struct {
	Responses        []itemResponse
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
}
