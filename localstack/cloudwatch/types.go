package cloudwatch

import (
	"time"

	"fanfare/localstack/awsproto"
)

// The shapes of https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Types.html.
// Field names are the names on the wire, unless a tag says otherwise.

type tag struct{ Key, Value string }

type dimension struct{ Name, Value string }

// alarmDefinition is what PutMetricAlarm sets and DescribeAlarms gives back. It
// is one type for both ways, so that nothing that was put can get lost: a
// member that is missing in the answer is a change in Terraform's next plan.
type alarmDefinition struct {
	AlarmName                        string
	AlarmDescription                 *string `xml:",omitempty"`
	ActionsEnabled                   *bool
	OKActions                        awsproto.Members[string]
	AlarmActions                     awsproto.Members[string]
	InsufficientDataActions          awsproto.Members[string]
	MetricName                       string                       `xml:",omitempty"`
	Namespace                        string                       `xml:",omitempty"`
	Statistic                        string                       `xml:",omitempty"`
	ExtendedStatistic                string                       `xml:",omitempty"`
	Dimensions                       awsproto.Members[dimension]  `xml:"Dimensions"`
	Period                           *int                         `xml:",omitempty"` // seconds
	Unit                             string                       `xml:",omitempty"`
	EvaluationPeriods                int                          `xml:",omitempty"`
	DatapointsToAlarm                *int                         `xml:",omitempty"`
	Threshold                        *float64                     `xml:",omitempty"`
	ComparisonOperator               string                       `xml:",omitempty"`
	TreatMissingData                 string                       `xml:",omitempty"`
	EvaluateLowSampleCountPercentile string                       `xml:",omitempty"`
	Metrics                          awsproto.Members[alarmQuery] `xml:",omitempty"`
	ThresholdMetricID                string                       `xml:"ThresholdMetricId,omitempty"`
}

// alarmQuery is one of an alarm's metric queries: a metric or an expression.
type alarmQuery struct {
	ID         string      `xml:"Id"`
	MetricStat *metricStat `xml:",omitempty"`
	Expression string      `xml:",omitempty"`
	Label      *string     `xml:",omitempty"`
	ReturnData *bool       `xml:",omitempty"`
	Period     *int        `xml:",omitempty"`
	AccountID  string      `xml:"AccountId,omitempty"`
}

type metricStat struct {
	Metric metric
	Period int
	Stat   string
	Unit   string `xml:",omitempty"`
}

type metric struct {
	Namespace  string `xml:",omitempty"`
	MetricName string `xml:",omitempty"`
	Dimensions awsproto.Members[dimension]
}

// alarm is a definition with its state, as it is stored and shown.
type alarm struct {
	alarmDefinition
	AlarmArn                           string
	AlarmConfigurationUpdatedTimestamp time.Time
	StateValue                         string
	StateReason                        string
	StateReasonData                    string `xml:",omitempty"`
	StateUpdatedTimestamp              time.Time
	StateTransitionedTimestamp         time.Time
	Tags                               []tag `xml:"-"` // ListTagsForResource shows them
	Evaluated                          int64 `xml:"-"` // Unix time / 60 of the last evaluation
}

type putMetricAlarmInput struct {
	alarmDefinition
	Tags []tag
}

type describeAlarmsInput struct {
	AlarmNames      []string
	AlarmNamePrefix string
	AlarmTypes      []string
	StateValue      string
	ActionPrefix    string
	MaxRecords      *int // 1 to 100
	NextToken       string
}

type describeAlarmsOutput struct {
	CompositeAlarms awsproto.Members[struct{}]
	MetricAlarms    awsproto.Members[alarm]
	NextToken       string `xml:",omitempty"`
}

type alarmNamesInput struct{ AlarmNames []string }

type setAlarmStateInput struct {
	AlarmName, StateValue, StateReason, StateReasonData string
}

// dashboard is a dashboard as it is stored.
type dashboard struct {
	Name, ARN, Body string
	Modified        time.Time
}

type datum struct {
	MetricName        string
	Dimensions        []dimension
	Timestamp         *time.Time
	Value             *float64
	StatisticValues   *statistics
	Values            []float64
	Counts            []float64
	Unit              string
	StorageResolution *int
}

// statistics sums up any number of samples.
type statistics struct {
	SampleCount, Sum, Minimum, Maximum float64
	Values                             distribution `json:",omitempty"` // of those that came as values
}

type putMetricDataInput struct {
	Namespace  string
	MetricData []datum
}

type listMetricsInput struct {
	Namespace, MetricName string
	Dimensions            []dimensionFilter
	RecentlyActive        string // "PT3H" or nothing
	NextToken             string
}

// dimensionFilter without a Value takes every value.
type dimensionFilter struct {
	Name  string
	Value *string
}

type listMetricsOutput struct {
	Metrics   awsproto.Members[metric]
	NextToken string `xml:",omitempty"`
}

type getMetricStatisticsInput struct {
	Namespace, MetricName string
	Dimensions            []dimension
	StartTime, EndTime    time.Time
	Period                int // seconds
	Statistics            []string
	ExtendedStatistics    []string
	Unit                  string
}

type datapoint struct {
	Timestamp   time.Time
	SampleCount *float64 `xml:",omitempty"`
	Average     *float64 `xml:",omitempty"`
	Sum         *float64 `xml:",omitempty"`
	Minimum     *float64 `xml:",omitempty"`
	Maximum     *float64 `xml:",omitempty"`
	Unit        string

	ExtendedStatistics *percentiles `xml:",omitempty"`
}

type percentiles struct {
	Entries []percentile `xml:"entry"`
}

// percentile is an entry of the map ExtendedStatistics.
type percentile struct {
	Name  string  `xml:"key"`
	Value float64 `xml:"value"`
}

type getMetricStatisticsOutput struct {
	Label      string
	Datapoints awsproto.Members[datapoint]
}
