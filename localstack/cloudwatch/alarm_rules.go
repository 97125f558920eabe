package cloudwatch

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The rules of
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html,
// so that an alarm that AWS would refuse fails on the laptop.

const (
	maxDimensions  = 30
	maxActions     = 5
	maxQueries     = 20
	day            = 86400 // seconds
	maxEvaluation  = 7 * day
	maxDescription = 1024
)

var (
	comparisonOperators = []string{
		"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold",
		"LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold",
	}
	simpleStatistics = []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}
	missingData      = []string{"breaching", "notBreaching", "ignore", "missing"}
	units            = strings.Fields("Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes " +
		"Bits Kilobits Megabits Gigabits Terabits Percent Count Bytes/Second Kilobytes/Second Megabytes/Second " +
		"Gigabytes/Second Terabytes/Second Bits/Second Kilobits/Second Megabits/Second Gigabits/Second " +
		"Terabits/Second Count/Second None")

	extendedStatistic = regexp.MustCompile(`^((p|tm|wm|tc|ts)(\d{1,2}(\.\d{1,10})?|100)|IQM|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\))$`)
	queryID           = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`)
)

func checkAlarm(def *alarmDefinition) error {
	switch {
	case !hasLength(def.AlarmName, 255):
		return validationError("AlarmName must have 1 to 255 characters")
	case def.AlarmDescription != nil && utf8.RuneCountInString(*def.AlarmDescription) > maxDescription:
		return validationError("AlarmDescription must have at most %d characters", maxDescription)
	case !slices.Contains(comparisonOperators, def.ComparisonOperator):
		return validationError("ComparisonOperator must be one of %v", comparisonOperators)
	case def.EvaluationPeriods < 1:
		return validationError("EvaluationPeriods must be at least 1")
	case def.DatapointsToAlarm != nil && (*def.DatapointsToAlarm < 1 || *def.DatapointsToAlarm > def.EvaluationPeriods):
		return validationError("DatapointsToAlarm must be between 1 and EvaluationPeriods (%d)", def.EvaluationPeriods)
	case def.TreatMissingData != "" && !slices.Contains(missingData, def.TreatMissingData):
		return validationError("TreatMissingData must be one of %v", missingData)
	case def.EvaluateLowSampleCountPercentile != "" && def.EvaluateLowSampleCountPercentile != "evaluate" &&
		def.EvaluateLowSampleCountPercentile != "ignore":
		return validationError("EvaluateLowSampleCountPercentile must be evaluate or ignore")
	}
	if err := checkActions(def); err != nil {
		return err
	}
	if err := checkThreshold(def); err != nil {
		return err
	}
	if len(def.Metrics) > 0 {
		return checkQueries(def)
	}
	return checkMetric(def)
}

func checkActions(def *alarmDefinition) error {
	for _, actions := range [][]string{def.OKActions, def.AlarmActions, def.InsufficientDataActions} {
		if len(actions) > maxActions {
			return validationError("an alarm has at most %d actions for each state", maxActions)
		}
		for _, action := range actions {
			if !strings.HasPrefix(action, "arn:") {
				return validationError("Invalid arn syntax: %s", action)
			}
		}
	}
	return nil
}

// checkThreshold holds the operators that compare with an anomaly detection band
// apart from those that compare with a number.
func checkThreshold(def *alarmDefinition) error {
	band := strings.Contains(def.ComparisonOperator, "LowerThreshold") || strings.Contains(def.ComparisonOperator, "UpperThreshold")
	switch {
	case def.Threshold != nil && def.ThresholdMetricID != "":
		return invalidCombination("Threshold and ThresholdMetricId must not be used together")
	case band && def.ThresholdMetricID == "":
		return validationError("ComparisonOperator %s needs ThresholdMetricId", def.ComparisonOperator)
	case !band && def.Threshold == nil:
		return validationError("ComparisonOperator %s needs Threshold", def.ComparisonOperator)
	}
	return nil
}

// checkMetric checks an alarm on one metric.
func checkMetric(def *alarmDefinition) error {
	switch {
	case def.MetricName == "":
		return validationError("An alarm needs either MetricName or Metrics")
	case !hasLength(def.MetricName, 255):
		return validationError("MetricName must have 1 to 255 characters")
	case !hasLength(def.Namespace, 255) || strings.HasPrefix(def.Namespace, ":"):
		return validationError("Namespace must have 1 to 255 characters and not begin with a colon")
	case (def.Statistic == "") == (def.ExtendedStatistic == ""):
		return invalidCombination("An alarm on a metric needs either Statistic or ExtendedStatistic")
	case def.Statistic != "" && !slices.Contains(simpleStatistics, def.Statistic):
		return validationError("Statistic must be one of %v", simpleStatistics)
	case def.ExtendedStatistic != "" && !extendedStatistic.MatchString(def.ExtendedStatistic):
		return validationError("The value %s for ExtendedStatistic is not supported", def.ExtendedStatistic)
	case def.Period == nil:
		return validationError("An alarm on a metric needs Period")
	case !isPeriod(*def.Period, 10, 20, 30):
		return validationError("Period must be 10, 20, 30 or a multiple of 60, not %d", *def.Period)
	case def.ThresholdMetricID != "":
		return validationError("ThresholdMetricId needs Metrics")
	}
	if err := checkEvaluation(*def.Period, def.EvaluationPeriods); err != nil {
		return err
	}
	if err := checkUnit(def.Unit); err != nil {
		return err
	}
	return checkDimensions(def.Dimensions)
}

// checkEvaluation: all periods together last at most a day, or a week where a
// period is an hour or more.
func checkEvaluation(period, periods int) error {
	limit := day
	if period >= 3600 {
		limit = maxEvaluation
	}
	if period > limit || periods > limit/period {
		return validationError("Metrics cannot be checked across more than %d seconds: EvaluationPeriods × Period is %d × %d", limit, periods, period)
	}
	return nil
}

// checkQueries checks an alarm on metric math. Expressions that nothing here could
// evaluate are kept as they are.
func checkQueries(def *alarmDefinition) error {
	if def.MetricName != "" || def.Namespace != "" || def.Statistic != "" || def.ExtendedStatistic != "" ||
		def.Period != nil || def.Unit != "" || len(def.Dimensions) > 0 {
		return invalidCombination("Metrics must not be used together with MetricName, Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic")
	}
	if len(def.Metrics) > maxQueries {
		return validationError("Metrics must have at most %d members", maxQueries)
	}
	ids := make(map[string]bool)
	returning := 0
	for i := range def.Metrics {
		q := &def.Metrics[i]
		if ids[q.ID] {
			return validationError("The ids of Metrics must be unique, not %q twice", q.ID)
		}
		ids[q.ID] = true
		if err := checkQuery(q, def.EvaluationPeriods); err != nil {
			return err
		}
		if q.ID != def.ThresholdMetricID && (q.ReturnData == nil || *q.ReturnData) {
			returning++
		}
	}
	if returning != 1 {
		return validationError("Exactly one member of Metrics must have ReturnData true, not %d", returning)
	}
	if def.ThresholdMetricID != "" && !ids[def.ThresholdMetricID] {
		return validationError("ThresholdMetricId %s is not in Metrics", def.ThresholdMetricID)
	}
	_, err := newRule(def)
	if _, only := errors.AsType[notEvaluated](err); only {
		return nil
	}
	return err
}

func checkQuery(q *alarmQuery, periods int) error {
	switch {
	case !queryID.MatchString(q.ID):
		return validationError("The id %q must begin with a lowercase letter, then letters, digits and underscores", q.ID)
	case (q.Expression == "") == (q.MetricStat == nil):
		return invalidCombination("The query %s needs either Expression or MetricStat", q.ID)
	case utf8.RuneCountInString(q.Expression) > 2048:
		return validationError("The Expression of %s must have at most 2048 characters", q.ID)
	case q.Period != nil && !isPeriod(*q.Period, 1, 5, 10, 20, 30):
		return validationError("The Period of %s must be 1, 5, 10, 20, 30 or a multiple of 60", q.ID)
	case q.MetricStat == nil:
		return nil
	}
	stat := q.MetricStat
	switch {
	case !hasLength(stat.Metric.MetricName, 255) || !hasLength(stat.Metric.Namespace, 255):
		return validationError("The MetricStat of %s needs a MetricName and a Namespace", q.ID)
	case !isPeriod(stat.Period, 1, 5, 10, 20, 30):
		return validationError("The MetricStat of %s needs a Period of 1, 5, 10, 20, 30 or a multiple of 60", q.ID)
	case !slices.Contains(simpleStatistics, stat.Stat) && !extendedStatistic.MatchString(stat.Stat):
		return validationError("The value %q for Stat of %s is not supported", stat.Stat, q.ID)
	}
	if err := checkEvaluation(stat.Period, periods); err != nil {
		return err
	}
	if err := checkUnit(stat.Unit); err != nil {
		return err
	}
	return checkDimensions(stat.Metric.Dimensions)
}

func checkUnit(unit string) error {
	if unit != "" && !slices.Contains(units, unit) {
		return validationError("The value %q for Unit is not one of %v", unit, units)
	}
	return nil
}

func checkDimensions(dimensions []dimension) error {
	if len(dimensions) > maxDimensions {
		return validationError("Dimensions must have at most %d members", maxDimensions)
	}
	names := make(map[string]bool)
	for _, d := range dimensions {
		if !hasLength(d.Name, 255) || !hasLength(d.Value, 1024) || strings.HasPrefix(d.Name, ":") {
			return validationError("The dimension %q=%q needs a name of 1 to 255 characters that does not begin with a colon, "+
				"and a value of 1 to 1024", d.Name, d.Value)
		}
		if names[d.Name] {
			return validationError("The dimension %s is there twice", d.Name)
		}
		names[d.Name] = true
	}
	return nil
}

func isPeriod(seconds int, short ...int) bool {
	return slices.Contains(short, seconds) || seconds >= 60 && seconds%60 == 0
}

func hasLength(s string, most int) bool { return s != "" && utf8.RuneCountInString(s) <= most }
