package lambda

import (
	"encoding/json"
	"time"
)

// The wire shapes of the control plane (API reference, "Data types"). Lambda
// writes member names as Go does, so most need no tag.

type functionConfiguration struct {
	FunctionName     string
	FunctionArn      string
	Runtime          string
	Role             string
	Handler          string
	CodeSize         int64
	Description      string
	Timeout          int // seconds
	MemorySize       int // MB
	LastModified     string
	CodeSha256       string // base64
	Version          string
	Environment      *environmentVariables `json:",omitempty"`
	TracingConfig    tracingConfig
	RevisionId       string
	State            string
	StateReason      string `json:",omitempty"`
	StateReasonCode  string `json:",omitempty"`
	LastUpdateStatus string `json:",omitempty"`

	LastUpdateStatusReason     string `json:",omitempty"`
	LastUpdateStatusReasonCode string `json:",omitempty"`

	PackageType      string
	Architectures    []string
	EphemeralStorage ephemeralStorage
	SnapStart        snapStart
	LoggingConfig    loggingConfig
}

type environmentVariables struct {
	Variables map[string]string
}

type tracingConfig struct {
	Mode string
}

type ephemeralStorage struct {
	Size int // MB
}

type snapStart struct {
	ApplyOn            string
	OptimizationStatus string `json:",omitempty"`
}

type loggingConfig struct {
	LogFormat           string `json:",omitempty"`
	ApplicationLogLevel string `json:",omitempty"`
	SystemLogLevel      string `json:",omitempty"`
	LogGroup            string `json:",omitempty"`
}

// settings are what CreateFunction and UpdateFunctionConfiguration have in
// common. Nil means unchanged.
type settings struct {
	Runtime          *string
	Role             *string
	Handler          *string
	Description      *string
	Timeout          *int
	MemorySize       *int
	Environment      *environmentVariables
	TracingConfig    *tracingConfig
	EphemeralStorage *ephemeralStorage
	SnapStart        *snapStart
	LoggingConfig    *loggingConfig

	unsupportedSettings
}

// unsupportedSettings are refused unless they are as good as absent.
type unsupportedSettings struct {
	CapacityProviderConfig json.RawMessage
	CodeSigningConfigArn   json.RawMessage
	DeadLetterConfig       json.RawMessage
	DurableConfig          json.RawMessage
	FileSystemConfigs      json.RawMessage
	ImageConfig            json.RawMessage
	KMSKeyArn              json.RawMessage
	Layers                 json.RawMessage
	PublishTo              json.RawMessage
	TenancyConfig          json.RawMessage
	VpcConfig              json.RawMessage
}

// functionCode is where code comes from. Only ZipFile is supported.
type functionCode struct {
	ZipFile         []byte
	S3Bucket        json.RawMessage
	S3Key           json.RawMessage
	S3ObjectVersion json.RawMessage
	ImageUri        json.RawMessage
	SourceKMSKeyArn json.RawMessage
}

type createFunctionInput struct {
	FunctionName  string
	Code          functionCode
	PackageType   string
	Architectures []string
	Publish       bool
	Tags          map[string]string
	settings
}

type updateCodeInput struct {
	functionCode
	Architectures []string
	Publish       bool
	DryRun        bool
	RevisionId    string
	PublishTo     json.RawMessage
}

type updateConfigurationInput struct {
	RevisionId string
	settings
}

type publishVersionInput struct {
	CodeSha256  string
	Description *string
	RevisionId  string
	PublishTo   json.RawMessage
}

type getFunctionOutput struct {
	Configuration functionConfiguration
	Code          codeLocation
	Tags          map[string]string `json:",omitempty"`
	Concurrency   *concurrency      `json:",omitempty"`
}

type codeLocation struct {
	RepositoryType string
}

type concurrency struct {
	ReservedConcurrentExecutions *int `json:",omitempty"`
}

type aliasConfiguration struct {
	AliasArn        string
	Name            string
	FunctionVersion string
	Description     string
	RevisionId      string
	RoutingConfig   *aliasRouting `json:",omitempty"`
}

// aliasRouting sends a share of the invokes (0 to 1) to another version.
type aliasRouting struct {
	AdditionalVersionWeights map[string]float64
}

type aliasInput struct {
	Name            string
	FunctionVersion *string
	Description     *string
	RoutingConfig   *aliasRouting
	RevisionId      string
}

type addPermissionInput struct {
	StatementId   string
	Action        string
	Principal     string
	SourceArn     string
	SourceAccount string
	RevisionId    string

	EventSourceToken      json.RawMessage
	FunctionUrlAuthType   json.RawMessage
	InvokedViaFunctionUrl json.RawMessage
	PrincipalOrgID        json.RawMessage
}

type eventInvokeConfig struct {
	FunctionArn              string
	LastModified             epochSeconds
	MaximumRetryAttempts     *int               `json:",omitempty"`
	MaximumEventAgeInSeconds *int               `json:",omitempty"`
	DestinationConfig        *destinationConfig `json:",omitempty"`
}

type destinationConfig struct {
	OnSuccess *destination `json:",omitempty"`
	OnFailure *destination `json:",omitempty"`
}

type destination struct {
	Destination string `json:",omitempty"`
}

type mappingConfiguration struct {
	UUID                           string
	EventSourceMappingArn          string
	EventSourceArn                 string
	FunctionArn                    string
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	FunctionResponseTypes          []string
	ScalingConfig                  *scalingConfig `json:",omitempty"`
	State                          string
	StateTransitionReason          string
	LastModified                   epochSeconds
}

type scalingConfig struct {
	MaximumConcurrency int `json:",omitempty"`
}

type mappingInput struct {
	EventSourceArn                 string
	FunctionName                   *string
	Enabled                        *bool
	BatchSize                      *int
	MaximumBatchingWindowInSeconds *int
	FunctionResponseTypes          *[]string
	ScalingConfig                  *scalingConfig
	Tags                           map[string]string

	unsupportedMapping
}

// unsupportedMapping is what only streams, Kafka, MQ and DocumentDB have, and
// what the pollers of the local cloud do not do.
type unsupportedMapping struct {
	AmazonManagedKafkaEventSourceConfig json.RawMessage
	BisectBatchOnFunctionError          json.RawMessage
	DestinationConfig                   json.RawMessage
	DocumentDBEventSourceConfig         json.RawMessage
	FilterCriteria                      json.RawMessage
	KMSKeyArn                           json.RawMessage
	LoggingConfig                       json.RawMessage
	MaximumRecordAgeInSeconds           json.RawMessage
	MaximumRetryAttempts                json.RawMessage
	MetricsConfig                       json.RawMessage
	ParallelizationFactor               json.RawMessage
	ProvisionedPollerConfig             json.RawMessage
	Queues                              json.RawMessage
	SelfManagedEventSource              json.RawMessage
	SelfManagedKafkaEventSourceConfig   json.RawMessage
	SourceAccessConfigurations          json.RawMessage
	StartingPosition                    json.RawMessage
	StartingPositionTimestamp           json.RawMessage
	Topics                              json.RawMessage
	TumblingWindowInSeconds             json.RawMessage
}

type tagsBody struct {
	Tags map[string]string
}

// epochSeconds is a time as REST-JSON has it in bodies: seconds since 1970 with
// a fraction.
type epochSeconds struct{ time.Time }

func (t epochSeconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(t.UnixMilli()) / 1000)
}

func (t *epochSeconds) UnmarshalJSON(b []byte) error {
	var seconds float64
	if err := json.Unmarshal(b, &seconds); err != nil {
		return err
	}
	t.Time = time.UnixMilli(int64(seconds*1000 + 0.5)).UTC()
	return nil
}

// lastModified is a function's own form of time.
func lastModified(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }
