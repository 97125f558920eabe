package dynamodb

import (
	"encoding/json"
	"math"
	"time"
)

// Wire shapes of the DynamoDB API, version 2012-08-10.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Types.html

type keySchemaElement struct {
	AttributeName, KeyType string
}

type attributeDefinition struct {
	AttributeName, AttributeType string
}

type throughput struct {
	ReadCapacityUnits, WriteCapacityUnits int64
}

type sseSpecification struct {
	Enabled        bool
	SSEType        string
	KMSMasterKeyId string
}

type sseDescription struct {
	Status          string
	SSEType         string
	KMSMasterKeyArn string
}

type streamSpecification struct {
	StreamEnabled  bool
	StreamViewType string
}

type tag struct{ Key, Value string }

type globalIndex struct {
	IndexName             string
	KeySchema             []keySchemaElement
	Projection            *projectionSpec
	ProvisionedThroughput *throughput
	OnDemandThroughput    json.RawMessage
	WarmThroughput        json.RawMessage
}

type createTableInput struct {
	TableName                 string
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keySchemaElement
	BillingMode               string
	ProvisionedThroughput     *throughput
	GlobalSecondaryIndexes    []globalIndex
	LocalSecondaryIndexes     []json.RawMessage
	SSESpecification          *sseSpecification
	StreamSpecification       *streamSpecification
	DeletionProtectionEnabled bool
	TableClass                string
	Tags                      []tag
	OnDemandThroughput        json.RawMessage
	WarmThroughput            json.RawMessage
	ResourcePolicy            string
}

type globalIndexUpdate struct {
	Create *globalIndex
	Delete *struct{ IndexName string }
	Update *struct {
		IndexName             string
		ProvisionedThroughput *throughput
		OnDemandThroughput    json.RawMessage
		WarmThroughput        json.RawMessage
	}
}

type updateTableInput struct {
	TableName                   string
	AttributeDefinitions        []attributeDefinition
	BillingMode                 string
	ProvisionedThroughput       *throughput
	GlobalSecondaryIndexUpdates []globalIndexUpdate
	SSESpecification            *sseSpecification
	StreamSpecification         *streamSpecification
	DeletionProtectionEnabled   *bool
	TableClass                  string
	ReplicaUpdates              []json.RawMessage
	GlobalTableWitnessUpdates   []json.RawMessage
	MultiRegionConsistency      string
	OnDemandThroughput          json.RawMessage
	WarmThroughput              json.RawMessage
}

type tableNameInput struct{ TableName string }

type tableDescription struct {
	TableName                 string
	TableArn                  string
	TableId                   string
	TableStatus               string
	CreationDateTime          epoch
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keySchemaElement
	ItemCount                 int
	TableSizeBytes            int
	ProvisionedThroughput     throughputDescription
	BillingModeSummary        *billingModeSummary      `json:",omitempty"`
	SSEDescription            *sseDescription          `json:",omitempty"`
	TableClassSummary         *tableClassSummary       `json:",omitempty"`
	GlobalSecondaryIndexes    []globalIndexDescription `json:",omitempty"`
	DeletionProtectionEnabled bool
}

type throughputDescription struct {
	ReadCapacityUnits, WriteCapacityUnits, NumberOfDecreasesToday int64
}

type billingModeSummary struct {
	BillingMode                       string
	LastUpdateToPayPerRequestDateTime epoch `json:",omitzero"`
}

type tableClassSummary struct{ TableClass string }

type globalIndexDescription struct {
	IndexName             string
	IndexArn              string
	IndexStatus           string
	KeySchema             []keySchemaElement
	Projection            projectionSpec
	ItemCount             int
	IndexSizeBytes        int
	ProvisionedThroughput throughputDescription
}

type tableOutput struct{ TableDescription tableDescription }

type describeTableOutput struct{ Table tableDescription }

type listTablesInput struct {
	ExclusiveStartTableName string
	Limit                   *int
}

type listTablesOutput struct {
	TableNames             []string
	LastEvaluatedTableName string `json:",omitempty"`
}

type ttlSpecification struct {
	AttributeName string
	Enabled       bool
}

type updateTTLInput struct {
	TableName               string
	TimeToLiveSpecification *ttlSpecification
}

type updateTTLOutput struct{ TimeToLiveSpecification ttlSpecification }

type ttlDescription struct {
	TimeToLiveStatus string
	AttributeName    string `json:",omitempty"`
}

type describeTTLOutput struct{ TimeToLiveDescription ttlDescription }

type updateBackupsInput struct {
	TableName                        string
	PointInTimeRecoverySpecification *struct {
		PointInTimeRecoveryEnabled bool
		RecoveryPeriodInDays       *int
	}
}

type backupsDescription struct {
	ContinuousBackupsStatus        string
	PointInTimeRecoveryDescription pitrDescription
}

type pitrDescription struct {
	PointInTimeRecoveryStatus  string
	RecoveryPeriodInDays       int   `json:",omitempty"`
	EarliestRestorableDateTime epoch `json:",omitzero"`
	LatestRestorableDateTime   epoch `json:",omitzero"`
}

type backupsOutput struct{ ContinuousBackupsDescription backupsDescription }

type tagResourceInput struct {
	ResourceArn string
	Tags        []tag
	TagKeys     []string // UntagResource
}

type listTagsOutput struct{ Tags []tag }

// capacity is a number of units; transactions also say of which kind.
type capacity struct {
	CapacityUnits      float64
	ReadCapacityUnits  *float64 `json:",omitempty"`
	WriteCapacityUnits *float64 `json:",omitempty"`
}

type consumedCapacity struct {
	TableName string
	capacity
	Table                  *capacity           `json:",omitempty"`
	GlobalSecondaryIndexes map[string]capacity `json:",omitempty"`
}

// epoch is a time on the wire: seconds with milliseconds as a fraction.
type epoch struct{ time.Time }

// MarshalJSON writes 1.732e9 style numbers in plain digits.
func (e epoch) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(e.UnixMilli())) / 1000)
}
