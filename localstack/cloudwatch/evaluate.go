package cloudwatch

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How alarms change their states:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
//
// Each alarm is evaluated at the end of each minute, on the periods that end
// there. That is made up for when somebody asks, minute by minute, so that an
// alarm has its state and the time of its change also after the clock was moved.

// extraPeriods is how many more than EvaluationPeriods are looked at for values
// that may stand in for missing ones. AWS does not say how many; its examples have
// five for three.
const extraPeriods = 2

// AlarmState is what an operator asks of an alarm.
type AlarmState struct {
	Name    string    `json:"name"`
	Region  string    `json:"region"`
	State   string    `json:"state"` // OK, ALARM or INSUFFICIENT_DATA
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason"`
	Meaning string    `json:"meaning,omitempty"` // the alarm's description
}

// AlarmStates are all alarms, those that ring first, then by region and name.
func (s *Service) AlarmStates() []AlarmState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	list := []AlarmState{}
	for name, r := range s.state.Regions {
		for _, a := range r.Alarms {
			state := AlarmState{Name: a.AlarmName, Region: name, State: a.StateValue, Since: a.StateTransitionedTimestamp, Reason: a.StateReason}
			if a.AlarmDescription != nil {
				state.Meaning = *a.AlarmDescription
			}
			list = append(list, state)
		}
	}
	order := []string{stateAlarm, stateOK, stateInsufficient}
	slices.SortFunc(list, func(a, b AlarmState) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State)),
			strings.Compare(a.Region, b.Region), strings.Compare(a.Name, b.Name))
	})
	return list
}

// tick is called with the lock before metrics and alarms are looked at or
// changed: it forgets what is old and makes up for the evaluations due.
func (s *Service) tick() {
	minute := s.now().Unix() / 60
	if minute == s.ticked {
		return
	}
	s.ticked = minute
	s.state.expire(s.now())
	for _, r := range s.state.Regions {
		for _, a := range r.Alarms {
			s.evaluate(r, a, minute)
		}
	}
}

// evaluate brings one alarm up to the end of a minute, which its periods end with.
func (s *Service) evaluate(r *region, a *alarm, last int64) {
	if a.Evaluated == 0 { // by an older snapshot
		a.Evaluated = last - 1
	}
	rule, err := newRule(&a.alarmDefinition)
	if err != nil {
		a.Evaluated = last
		if reason := "Not evaluated: " + err.Error(); a.StateValue == stateInsufficient && a.StateReason != reason {
			a.StateReason = reason
		}
		return
	}
	rule.find(r)
	first := max(a.Evaluated+1, last-int64(retention/time.Minute))
	for minute := first; minute <= last; minute++ {
		end := time.Unix(minute*60, 0).UTC()
		values := rule.values(minute)
		state, reason := rule.judge(values, a.StateValue, end)
		if state != a.StateValue {
			s.log.Info("alarm "+state, "alarm", a.AlarmName, "was", a.StateValue, "reason", reason)
			a.StateValue, a.StateReason, a.StateReasonData = state, reason, ""
			a.StateUpdatedTimestamp, a.StateTransitionedTimestamp = end, end
		}
	}
	a.Evaluated = last
}

// rule is an alarm's definition, ready to be evaluated.
type rule struct {
	def     *alarmDefinition
	period  int // seconds
	metrics map[string]metricStat
	found   map[string][]*series // what there is of each metric, by unit
	nodes   map[string]mathNode  // of the expressions
	result  string               // the id that is compared
}

// single is the id of an alarm's only metric.
const single = "m"

// newRule reads a definition that was checked. The error is a notEvaluated where
// AWS would evaluate it.
func newRule(def *alarmDefinition) (*rule, error) {
	ru := &rule{def: def, metrics: map[string]metricStat{}, nodes: map[string]mathNode{}}
	if def.ThresholdMetricID != "" {
		return nil, notEvaluatedf("the local cloud has no anomaly detection")
	}
	if len(def.Metrics) == 0 {
		ru.result, ru.period = single, *def.Period
		ru.metrics[single] = metricStat{
			Metric: metric{def.Namespace, def.MetricName, def.Dimensions}, Period: *def.Period,
			Stat: cmp.Or(def.Statistic, def.ExtendedStatistic), Unit: def.Unit,
		}
		return ru, ru.check()
	}
	kinds := make(map[string]mathKind)
	var ids []string
	for _, q := range def.Metrics {
		kinds[q.ID] = seriesKind
		if q.MetricStat != nil {
			ids = append(ids, q.ID)
			ru.metrics[q.ID] = *q.MetricStat
			ru.period = max(ru.period, q.MetricStat.Period)
		}
		if q.ReturnData == nil || *q.ReturnData {
			ru.result = q.ID
		}
	}
	for _, q := range def.Metrics {
		if q.Expression == "" {
			continue
		}
		node, err := parseMath(q.Expression, kinds, ids)
		switch reason, is := errors.AsType[notEvaluated](err); {
		case is:
			return nil, notEvaluatedf("the local cloud %s", string(reason))
		case err != nil:
			return nil, validationError("Error in expression '%s': %v", q.ID, err)
		case q.ID == ru.result && node.kind != seriesKind:
			return nil, validationError("Error in expression '%s': an alarm needs a time series, and this is %s", q.ID, node.kind)
		case node.kind == listKind:
			return nil, notEvaluatedf("the local cloud does not evaluate expressions on %s that is an expression itself", node.kind)
		}
		ru.nodes[q.ID] = node
	}
	if ru.isCircular(ru.result, map[string]bool{}) {
		return nil, validationError("Error in expression '%s': it depends on itself", ru.result)
	}
	return ru, ru.check()
}

// isCircular evaluates an expression on nothing, and reports whether it asks for
// itself. Each is evaluated once: of twenty that each name the one before twenty
// times there would be no end. done has false for those that are not through.
func (ru *rule) isCircular(id string, done map[string]bool) (circular bool) {
	node, ok := ru.nodes[id]
	if !ok || done[id] {
		return false
	}
	if finished, met := done[id]; met {
		return !finished
	}
	done[id] = false
	node.eval(mathInput{1, func(asked string) points {
		circular = circular || ru.isCircular(asked, done)
		return points{math.NaN()}
	}})
	done[id] = true
	return circular
}

// check says what of a valid rule is not evaluated here.
func (ru *rule) check() error {
	for _, m := range ru.metrics {
		switch {
		case strings.HasPrefix(m.Metric.Namespace, "AWS/"):
			return notEvaluatedf("the local cloud does not write the metrics of %s", m.Metric.Namespace)
		case m.Period < 60:
			return notEvaluatedf("the local cloud keeps metrics by the minute, and a period here is %d seconds", m.Period)
		case m.Period != ru.period:
			return notEvaluatedf("the local cloud does not evaluate metrics of different periods")
		case !slices.Contains(simpleStatistics, m.Stat) && !isPercentile(m.Stat):
			return notEvaluatedf("the local cloud has no statistic %s", m.Stat)
		}
	}
	if len(ru.metrics) == 0 {
		return notEvaluatedf("no metric is in the alarm's expression")
	}
	return nil
}

// find looks the rule's metrics up. A metric has a series for each unit.
func (ru *rule) find(r *region) {
	ru.found = make(map[string][]*series)
	for id, m := range ru.metrics {
		want := series{Namespace: m.Metric.Namespace, MetricName: m.Metric.MetricName, Dimensions: sortedDimensions(m.Metric.Dimensions)}
		for _, unit := range units {
			want.Unit = unit
			if se, ok := r.Series[want.key()]; ok && (m.Unit == "" || m.Unit == unit) {
				ru.found[id] = append(ru.found[id], se)
			}
		}
	}
}

// values are the compared values of the periods that end with a minute, the oldest
// first.
func (ru *rule) values(minute int64) points {
	n := ru.def.EvaluationPeriods + extraPeriods
	length := int64(ru.period / 60)
	in := mathInput{periods: n}
	known := map[string]points{} // however often expressions name them; nobody changes them
	in.series = func(id string) points {
		if out, ok := known[id]; ok {
			return out
		}
		if node, ok := ru.nodes[id]; ok {
			known[id] = node.seriesOf(in)
			return known[id]
		}
		out := make(points, n)
		for i := range out {
			begin := minute - int64(n-i)*length
			out[i] = statistic(ru.found[id], ru.metrics[id].Stat, begin, begin+length)
		}
		known[id] = out
		return out
	}
	return in.series(ru.result)
}

// statistic of the minutes from first up to, but without, end; NaN without one.
func statistic(found []*series, name string, first, end int64) float64 {
	var all statistics
	values := distribution{} // added up in place: a day's period has 1,440 of them
	for _, se := range found {
		for minute := first; minute < end; minute++ {
			have, ok := se.Minutes[minute]
			if !ok {
				continue
			}
			for bucket, n := range have.Values {
				values[bucket] += n
			}
			have.Values = nil
			all = all.plus(have)
		}
	}
	all.Values = values
	return all.value(name)
}

// judge says what an alarm's state is by the values of its periods, the oldest
// first. Values of the periods beyond EvaluationPeriods stand in for missing ones;
// what is missing then is treated as TreatMissingData says.
func (ru *rule) judge(values points, was string, at time.Time) (state, reason string) {
	n := ru.def.EvaluationPeriods
	m := n
	if ru.def.DatapointsToAlarm != nil {
		m = *ru.def.DatapointsToAlarm
	}
	var there []float64 // the latest first
	for _, v := range slices.Backward(values) {
		if !math.IsNaN(v) && len(there) < n {
			there = append(there, v)
		}
	}
	breaching := 0
	for _, v := range there {
		if ru.breaches(v) {
			breaching++
		}
	}
	missing := n - len(there)
	treat := cmp.Or(ru.def.TreatMissingData, "missing")
	// Nothing speaks against an alarm, and too little for it.
	undecided := missing > 0 && breaching == len(there)
	switch {
	case breaching >= m, treat == "breaching" && breaching+missing >= m:
		state = stateAlarm
	case undecided && treat == "ignore":
		return was, ""
	case undecided && treat == "missing" && len(there) == 0:
		state = stateInsufficient
	case undecided && treat == "missing":
		state = stateAlarm
	default:
		state = stateOK
	}
	return state, ru.reason(there, missing, treat, at)
}

func (ru *rule) breaches(v float64) bool {
	switch threshold := *ru.def.Threshold; ru.def.ComparisonOperator {
	case "GreaterThanThreshold":
		return v > threshold
	case "GreaterThanOrEqualToThreshold":
		return v >= threshold
	case "LessThanThreshold":
		return v < threshold
	default: // LessThanOrEqualToThreshold
		return v <= threshold
	}
}

// reason is a sentence like AWS's.
func (ru *rule) reason(there []float64, missing int, treat string, at time.Time) string {
	var b strings.Builder
	b.WriteString("Threshold Crossed: ")
	if len(there) == 0 {
		fmt.Fprintf(&b, "no datapoints were received for %d periods", missing)
	} else {
		var list []string
		for _, v := range there {
			list = append(list, strconv.FormatFloat(v, 'g', 6, 64))
		}
		fmt.Fprintf(&b, "the last %d datapoints until %s [%s] were compared by %s (%g)",
			len(there), at.Format("02/01/06 15:04:05"), strings.Join(list, ", "), ru.def.ComparisonOperator, *ru.def.Threshold)
	}
	if missing > 0 {
		fmt.Fprintf(&b, " and %d missing were treated as [%s]", missing, treat)
	}
	b.WriteString(".")
	return b.String()
}
