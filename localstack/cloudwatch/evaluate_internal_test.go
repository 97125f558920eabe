package cloudwatch

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// readPoints reads "0 - X": values within and beyond the threshold, and none.
func readPoints(text string) points {
	var out points
	for field := range strings.FieldsSeq(text) {
		switch field {
		case "-":
			out = append(out, math.NaN())
		case "X":
			out = append(out, 1)
		default:
			out = append(out, 0)
		}
	}
	return out
}

// The two tables of "How alarm state is evaluated when data is missing":
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func TestMissingDataIsTreatedAsInAWSsTables(t *testing.T) {
	const retained = "retained"
	treatments := []string{"missing", "ignore", "breaching", "notBreaching"}
	for _, tt := range []struct {
		datapoints int // of three periods
		points     string
		want       [4]string // by treatment
	}{
		{3, "0 - X - X", [4]string{stateOK, stateOK, stateOK, stateOK}},
		{3, "- - - - 0", [4]string{stateOK, stateOK, stateOK, stateOK}},
		{3, "- - - - -", [4]string{stateInsufficient, retained, stateAlarm, stateOK}},
		{3, "0 X X - X", [4]string{stateAlarm, stateAlarm, stateAlarm, stateAlarm}},
		{3, "- - X - -", [4]string{stateAlarm, retained, stateAlarm, stateOK}},
		{2, "0 - X - X", [4]string{stateAlarm, stateAlarm, stateAlarm, stateAlarm}},
		{2, "0 0 X 0 X", [4]string{stateAlarm, stateAlarm, stateAlarm, stateAlarm}},
		{2, "0 - X - -", [4]string{stateOK, stateOK, stateAlarm, stateOK}},
		{2, "- - - - 0", [4]string{stateOK, stateOK, stateAlarm, stateOK}},
		{2, "- - - - X", [4]string{stateAlarm, retained, stateAlarm, stateOK}},
	} {
		for i, treat := range treatments {
			threshold := 0.5
			ru := rule{def: &alarmDefinition{
				EvaluationPeriods: 3, DatapointsToAlarm: &tt.datapoints, Threshold: &threshold,
				ComparisonOperator: "GreaterThanThreshold", TreatMissingData: treat,
			}}
			if got, _ := ru.judge(readPoints(tt.points), retained, time.Now()); got != tt.want[i] {
				t.Errorf("%d of 3, %s, missing is %s: %s, want %s", tt.datapoints, tt.points, treat, got, tt.want[i])
			}
		}
	}
}

func TestMetricMath(t *testing.T) {
	none := math.NaN()
	data := map[string]points{"a": {1, none, 3}, "b": {10, 20, none}, "zero": {0, 0, 0}, "empty": {none, none, none}}
	kinds, ids := map[string]mathKind{}, []string{"a", "b"}
	for id := range data {
		kinds[id] = seriesKind
	}
	for expression, want := range map[string]points{
		"a":                                   {1, none, 3},
		"-a":                                  {-1, none, -3},
		"a+b":                                 {11, none, none},
		"1+2*a":                               {3, none, 7},
		"(1+2)*a":                             {3, none, 9},
		"2*a^2":                               {2, none, 18},
		"10-a-1":                              {8, none, 6},
		"a/zero":                              {none, none, none},
		"FILL(a,0)":                           {1, 0, 3},
		"FILL(b, REPEAT)":                     {10, 20, 20},
		"FILL(empty,0)+FILL(b,0)":             {10, 20, 0},
		"a>=3":                                {0, none, 1},
		"FILL(a,0)==0 OR b>15":                {0, 1, none},
		"a>0 AND b>0":                         {1, none, none},
		"IF(a>2,7,8)":                         {8, none, 7},
		"IF(a>2,b)":                           {none, none, none},
		"IF(zero>=1,100*a/zero,0)":            {0, 0, 0},
		"SUM(METRICS())":                      {11, 20, 3},
		`SUM(METRICS("b"))`:                   {10, 20, none},
		"SUM([a,b,1])":                        {12, 21, 4},
		"MAX([a,b])":                          {10, 20, 3},
		"MIN(FILL(METRICS(),0))":              {1, 0, 0},
		"AVG([a,b])":                          {5.5, 20, 3},
		"a/SUM(a)":                            {0.25, none, 0.75},
		"CEIL(a/2)+FLOOR(a/2)+ABS(0-a)":       {2, none, 6},
		"100*FILL(a,0)/(FILL(a,0)+FILL(b,0))": {100.0 / 11, 0, 100},
	} {
		node, err := parseMath(expression, kinds, ids)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		got := node.seriesOf(mathInput{3, func(id string) points { return data[id] }})
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12 || math.IsNaN(got[i]) != math.IsNaN(want[i]) {
				t.Errorf("%s = %v, want %v", expression, got, want)
				break
			}
		}
	}
}

func TestWhatMetricMathIsNot(t *testing.T) {
	kinds := map[string]mathKind{"a": seriesKind}
	for expression, want := range map[string]string{
		"a+":                        "ends too early",
		"(a":                        `expected ")"`,
		"a)":                        `unexpected ")"`,
		"a $ 1":                     `unexpected "$ 1"`,
		"other":                     "no query has the id other",
		"NOTHING(a)":                "no function NOTHING",
		"SUM(1)":                    "takes a time series",
		"IF(a)":                     "2 or 3 arguments, not 1",
		"IF(1,2,3)":                 "needs a time series",
		"FILL(1,0)":                 "not a number",
		"[]":                        "must have members",
		"[a]+[a]":                   "between two arrays",
		"METRICS(a)":                "takes a text",
		strings.Repeat("(", 200):    "nested too deeply",
		strings.Repeat("-", 200):    "nested too deeply",
		"ANOMALY_DETECTION_BAND(a)": "does not evaluate ANOMALY_DETECTION_BAND()",
		"FILL(a,LINEAR)":            "does not evaluate FILL() with LINEAR",
		"SELECT AVG(x) FROM y":      "no Metrics Insights queries",
	} {
		if _, err := parseMath(expression, kinds, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: error %v, want %s", expression, err, want)
		}
	}
}

func FuzzMetricMath(f *testing.F) {
	for _, seed := range []string{"IF((FILL(a,0)+FILL(b,0))>=20,100*FILL(a,0)/b,0)", "SUM([a,-b])^2 OR a!=1e3", `METRICS("a")`, "FILL(METRICS(),REPEAT)"} {
		f.Add(seed)
	}
	kinds := map[string]mathKind{"a": seriesKind, "b": seriesKind}
	f.Fuzz(func(t *testing.T, expression string) {
		node, err := parseMath(expression, kinds, []string{"a", "b"})
		if err != nil || node.kind == listKind {
			return
		}
		if got := node.seriesOf(mathInput{2, func(string) points { return points{math.NaN(), 1} }}); len(got) != 2 {
			t.Errorf("%q has %d points, want 2", expression, len(got))
		}
	})
}

func TestPercentilesAreRightToHalfAPercent(t *testing.T) {
	d := datum{}
	for i := range 100 {
		d.Values = append(d.Values, float64(i+1))
	}
	s := d.statistics()
	for statistic, want := range map[string]float64{"p0": 1, "p50": 50, "p99": 99, "p99.5": 100, "p100": 100} {
		if got := s.value(statistic); math.Abs(got-want) > want*0.005 {
			t.Errorf("%s is %v, want %v", statistic, got, want)
		}
	}
	small := datum{Values: []float64{-4, 0, 0.25}, Counts: []float64{1, 1, 8}}
	for statistic, want := range map[string]float64{"p5": -4, "p20": 0, "p90": 0.25} {
		if got := small.statistics().value(statistic); math.Abs(got-want) > 0.02 {
			t.Errorf("%s of small numbers is %v, want %v", statistic, got, want)
		}
	}
	set := statistics{SampleCount: 2, Sum: 10, Minimum: 4, Maximum: 6}
	if got := s.plus(set).value("p50"); !math.IsNaN(got) {
		t.Errorf("a percentile of samples of which some came as a statistic set: %v", got)
	}
}

// Each of twenty expressions names the one before twenty times. Evaluated once for
// each name, they would not be done in this universe.
func TestExpressionsThatNameEachOtherManyTimesAreEvaluatedOnce(t *testing.T) {
	threshold, hidden := 1.0, false
	period := alarmQuery{ID: "m0", ReturnData: &hidden, MetricStat: &metricStat{Metric: metric{"N", "M", nil}, Period: 60, Stat: "Sum"}}
	def := &alarmDefinition{
		AlarmName: "a", EvaluationPeriods: 1, Threshold: &threshold, ComparisonOperator: "GreaterThanThreshold",
		Metrics: []alarmQuery{period},
	}
	for i := 1; i < maxQueries; i++ {
		sum := strings.Repeat(fmt.Sprintf("m%d+", i-1), 20) + "0"
		def.Metrics = append(def.Metrics, alarmQuery{ID: fmt.Sprintf("m%d", i), Expression: sum, ReturnData: &hidden})
	}
	def.Metrics[maxQueries-1].ReturnData = nil
	if err := checkAlarm(def); err != nil {
		t.Fatal(err)
	}
	ru, err := newRule(def)
	if err != nil {
		t.Fatal(err)
	}
	minutes := map[int64]statistics{9: {SampleCount: 1, Sum: 1}}
	ru.found = map[string][]*series{"m0": {{Minutes: minutes}}}
	values := ru.values(10)
	if got, want := values[len(values)-1], math.Pow(20, maxQueries-1); got != want {
		t.Errorf("got %g, want %g", got, want)
	}
	def.Metrics[1].Expression = "m2+m0"
	if err := checkAlarm(def); err == nil || !strings.Contains(err.Error(), "depends on itself") {
		t.Errorf("a circle: %v", err)
	}
}

// A line of 64 KB has room for two million metrics, of 2 GB.
func TestARecordWithVeryManyMetricsIsLostAtOnce(t *testing.T) {
	var metrics, values []string
	for i := range maxEmbeddedMetrics {
		metrics, values = append(metrics, fmt.Sprintf(`{"Name":"m%d"}`, i)), append(values, fmt.Sprintf(`"m%d":1`, i))
	}
	line := func(sets int) []byte {
		return fmt.Appendf(nil, `{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[%s],"Metrics":[%s]}]},%s}`,
			strings.Repeat("[],", sets-1)+"[]", strings.Join(metrics, ","), strings.Join(values, ","))
	}
	if in, err := readEmbedded(line(10)); err != nil || len(in[0].MetricData) != maxEmbedded {
		t.Errorf("of 100 metrics with 10 sets of dimensions: %v", err)
	}
	if allocated := testing.AllocsPerRun(1, func() {
		if _, err := readEmbedded(line(20_000)); err == nil || !strings.Contains(err.Error(), "more than 1000") {
			t.Errorf("of 100 metrics with 20,000 sets of dimensions: %v", err)
		}
	}); allocated > 100_000 {
		t.Errorf("%v allocations", allocated)
	}
}

// Of a value that is null, encoding/json would make a 0.
func TestAValueThatIsNullIsNone(t *testing.T) {
	line := `{"m":null,"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"n","Dimensions":[[]],"Metrics":[{"Name":"m"}]}]}}`
	if in, err := readEmbedded([]byte(line)); err == nil {
		t.Errorf("read as %+v", in)
	}
}
