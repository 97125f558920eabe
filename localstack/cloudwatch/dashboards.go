package cloudwatch

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

const (
	maxWidgets       = 500
	maxDashboardPage = 100
)

var (
	dashboardName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	widgetTypes   = []string{"alarm", "custom", "explorer", "log", "metric", "text"}
)

type putDashboardInput struct{ DashboardName, DashboardBody string }

type putDashboardOutput struct {
	DashboardValidationMessages awsproto.Members[struct{}]
}

func (s *Service) putDashboard(_ context.Context, in *putDashboardInput) (putDashboardOutput, error) {
	if !dashboardName.MatchString(in.DashboardName) {
		return putDashboardOutput{}, invalidDashboard("The value %q for DashboardName must have 1 to 255 of A-Z, a-z, 0-9, - and _", in.DashboardName)
	}
	if err := checkDashboard(in.DashboardBody); err != nil {
		return putDashboardOutput{}, err
	}
	s.state.Dashboards[in.DashboardName] = dashboard{
		Name: in.DashboardName, Body: in.DashboardBody, Modified: s.now(),
		ARN: "arn:aws:cloudwatch::" + awsproto.AccountID + ":dashboard/" + in.DashboardName,
	}
	return putDashboardOutput{}, nil
}

// checkDashboard checks the frame of a body: widgets with a type, properties
// and a place in the grid. What is inside of the properties is not checked, but
// for a metric widget's region, whose absence is AWS's most common complaint.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func checkDashboard(body string) error {
	var parsed *struct {
		Widgets []struct {
			Type                string
			X, Y, Width, Height *int
			Properties          map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(body), &parsed); err != nil || parsed == nil {
		return invalidDashboard("The field DashboardBody must be a valid JSON object: %v", err)
	}
	if len(parsed.Widgets) > maxWidgets {
		return invalidDashboard("The dashboard has %d widgets, at most %d are allowed", len(parsed.Widgets), maxWidgets)
	}
	for i, w := range parsed.Widgets {
		_, hasRegion := w.Properties["region"]
		switch {
		case !slices.Contains(widgetTypes, w.Type):
			return invalidDashboard("/widgets/%d/type should be one of %v, not %q", i, widgetTypes, w.Type)
		case w.Properties == nil:
			return invalidDashboard("/widgets/%d should have required property 'properties'", i)
		case w.Type == "metric" && !hasRegion:
			return invalidDashboard("/widgets/%d/properties should have required property 'region'", i)
		case outside(w.X, 0, 23) || outside(w.Y, 0, 1<<31) || outside(w.Width, 1, 24) || outside(w.Height, 1, 1000):
			return invalidDashboard("/widgets/%d does not fit into the grid: x 0 to 23, y from 0, width 1 to 24, height 1 to 1000", i)
		}
	}
	return nil
}

func outside(v *int, least, most int) bool { return v != nil && (*v < least || *v > most) }

type dashboardNameInput struct{ DashboardName string }

type getDashboardOutput struct{ DashboardArn, DashboardBody, DashboardName string }

func (s *Service) getDashboard(_ context.Context, in *dashboardNameInput) (getDashboardOutput, error) {
	d, ok := s.state.Dashboards[in.DashboardName]
	if !ok {
		return getDashboardOutput{}, notFound("Dashboard %s does not exist", in.DashboardName)
	}
	return getDashboardOutput{d.ARN, d.Body, d.Name}, nil
}

type listDashboardsInput struct{ DashboardNamePrefix, NextToken string }

type dashboardEntry struct {
	DashboardName, DashboardArn string
	LastModified                time.Time
	Size                        int // bytes of the body
}

type listDashboardsOutput struct {
	DashboardEntries awsproto.Members[dashboardEntry]
	NextToken        string `xml:",omitempty"`
}

func (s *Service) listDashboards(_ context.Context, in *listDashboardsInput) (listDashboardsOutput, error) {
	var entries []dashboardEntry
	for _, name := range slices.Sorted(maps.Keys(s.state.Dashboards)) {
		if d := s.state.Dashboards[name]; strings.HasPrefix(name, in.DashboardNamePrefix) {
			entries = append(entries, dashboardEntry{d.Name, d.ARN, d.Modified, len(d.Body)})
		}
	}
	some, next, err := page(entries, func(e dashboardEntry) string { return e.DashboardName }, in.NextToken, maxDashboardPage)
	return listDashboardsOutput{some, next}, err
}

type deleteDashboardsInput struct{ DashboardNames []string }

// deleteDashboards deletes all of the named or, where one is missing, none.
func (s *Service) deleteDashboards(_ context.Context, in *deleteDashboardsInput) (struct{}, error) {
	if len(in.DashboardNames) == 0 {
		return struct{}{}, invalidDashboard("DashboardNames must have at least one name")
	}
	for _, name := range in.DashboardNames {
		if _, ok := s.state.Dashboards[name]; !ok {
			return struct{}{}, notFound("Dashboard %s does not exist; no dashboard was deleted", name)
		}
	}
	for _, name := range in.DashboardNames {
		delete(s.state.Dashboards, name)
	}
	return struct{}{}, nil
}
