package logs

// The wire shapes, named after their operations as in
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
// Times are milliseconds since 1970. encoding/json matches the members of a
// request without regard to case, so only the answers carry names.

type createLogGroupInput struct {
	LogGroupName              string
	KMSKeyID                  string
	LogGroupClass             string
	Tags                      map[string]string
	DeletionProtectionEnabled bool
}

type groupInput struct {
	LogGroupName string
}

type describeLogGroupsInput struct {
	LogGroupNamePrefix    string
	LogGroupNamePattern   string
	LogGroupClass         string
	LogGroupIdentifiers   []string
	AccountIdentifiers    []string
	IncludeLinkedAccounts bool
	Limit                 *int
	NextToken             string
}

type describeLogGroupsOutput struct {
	LogGroups []logGroup `json:"logGroups"`
	NextToken string     `json:"nextToken,omitempty"`
}

type logGroup struct {
	ARN               string `json:"arn"`         // ends in ":*"
	LogGroupARN       string `json:"logGroupArn"` // does not
	LogGroupName      string `json:"logGroupName"`
	LogGroupClass     string `json:"logGroupClass"`
	CreationTime      int64  `json:"creationTime"`
	RetentionInDays   int    `json:"retentionInDays,omitempty"`
	KMSKeyID          string `json:"kmsKeyId,omitempty"`
	MetricFilterCount int    `json:"metricFilterCount"`
	StoredBytes       int    `json:"storedBytes"`
}

type putRetentionPolicyInput struct {
	LogGroupName    string
	RetentionInDays *int
}

type kmsKeyInput struct {
	LogGroupName       string
	KMSKeyID           string
	ResourceIdentifier string
}

type resourceInput struct {
	ResourceARN string
}

type listTagsOutput struct {
	Tags map[string]string `json:"tags"`
}

type tagResourceInput struct {
	ResourceARN string
	Tags        map[string]string
}

type untagResourceInput struct {
	ResourceARN string
	TagKeys     []string
}

type streamInput struct {
	LogGroupName  string
	LogStreamName string
}

// groupReference names a group by its name or by its name or ARN, never by both.
type groupReference struct {
	LogGroupName       string
	LogGroupIdentifier string
}

type describeLogStreamsInput struct {
	groupReference
	LogStreamNamePrefix string
	OrderBy             string
	Descending          bool
	Limit               *int
	NextToken           string
}

type describeLogStreamsOutput struct {
	LogStreams []logStream `json:"logStreams"`
	NextToken  string      `json:"nextToken,omitempty"`
}

type logStream struct {
	ARN                 string `json:"arn"`
	LogStreamName       string `json:"logStreamName"`
	CreationTime        int64  `json:"creationTime"`
	FirstEventTimestamp int64  `json:"firstEventTimestamp,omitempty"`
	LastEventTimestamp  int64  `json:"lastEventTimestamp,omitempty"`
	LastIngestionTime   int64  `json:"lastIngestionTime,omitempty"`
	UploadSequenceToken string `json:"uploadSequenceToken"`
	StoredBytes         int    `json:"storedBytes"` // AWS has shown 0 since 2019
}

type putLogEventsInput struct {
	LogGroupName  string
	LogStreamName string
	LogEvents     []inputLogEvent
}

type inputLogEvent struct {
	Timestamp *int64
	Message   string
}

type putLogEventsOutput struct {
	NextSequenceToken     string                 `json:"nextSequenceToken"`
	RejectedLogEventsInfo *rejectedLogEventsInfo `json:"rejectedLogEventsInfo,omitempty"`
}

// rejectedLogEventsInfo names the rejected ends of a batch in order of time.
type rejectedLogEventsInfo struct {
	TooNewLogEventStartIndex *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOldLogEventEndIndex   *int `json:"tooOldLogEventEndIndex,omitempty"`
	ExpiredLogEventEndIndex  *int `json:"expiredLogEventEndIndex,omitempty"`
}

type getLogEventsInput struct {
	groupReference
	LogStreamName string
	StartTime     *int64
	EndTime       *int64
	StartFromHead bool
	Limit         *int
	NextToken     string
}

type getLogEventsOutput struct {
	Events            []outputLogEvent `json:"events"`
	NextForwardToken  string           `json:"nextForwardToken"`
	NextBackwardToken string           `json:"nextBackwardToken"`
}

type outputLogEvent struct {
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
}

type filterLogEventsInput struct {
	groupReference
	LogStreamNames      []string
	LogStreamNamePrefix string
	StartTime           *int64
	EndTime             *int64
	FilterPattern       string
	StartFromHead       *bool
	Limit               *int
	NextToken           string
}

type filterLogEventsOutput struct {
	Events             []filteredLogEvent  `json:"events"`
	SearchedLogStreams []searchedLogStream `json:"searchedLogStreams"` // always empty, as in AWS
	NextToken          string              `json:"nextToken,omitempty"`
}

type searchedLogStream struct{}

type filteredLogEvent struct {
	LogStreamName string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	EventID       string `json:"eventId"`
}

// none is the answer of operations that answer nothing: "{}".
type none struct{}
