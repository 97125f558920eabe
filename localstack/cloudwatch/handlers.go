package cloudwatch

import (
	"context"
	"net/url"

	"fanfare/localstack/awsproto"
)

// operations is the API: what is not here is answered with InvalidAction.
func (s *Service) operations() map[string]awsproto.QueryOperation {
	return map[string]awsproto.QueryOperation{
		"PutMetricAlarm":      locked(s, s.putMetricAlarm),
		"DescribeAlarms":      locked(s, s.describeAlarms),
		"DeleteAlarms":        locked(s, s.deleteAlarms),
		"SetAlarmState":       locked(s, s.setAlarmState),
		"EnableAlarmActions":  locked(s, s.enableAlarmActions),
		"DisableAlarmActions": locked(s, s.disableAlarmActions),
		"PutCompositeAlarm":   refused("has no composite alarms"),

		"PutDashboard":     locked(s, s.putDashboard),
		"GetDashboard":     locked(s, s.getDashboard),
		"ListDashboards":   locked(s, s.listDashboards),
		"DeleteDashboards": locked(s, s.deleteDashboards),

		"TagResource":         locked(s, s.tagResource),
		"UntagResource":       locked(s, s.untagResource),
		"ListTagsForResource": locked(s, s.listTagsForResource),

		"PutMetricData":       locked(s, s.putMetricData),
		"ListMetrics":         locked(s, s.listMetrics),
		"GetMetricStatistics": locked(s, s.getMetricStatistics),
		"GetMetricData":       refused("has no GetMetricData: use GetMetricStatistics"),
	}
}

// locked runs an operation under the service's lock, so that operations read
// and change the state without a thought. Their results are copies: they are
// written out after the lock is gone.
func locked[In, Out any](s *Service, op func(context.Context, *In) (Out, error)) awsproto.QueryOperation {
	return awsproto.FormOp(func(ctx context.Context, in *In) (Out, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return op(ctx, in)
	})
}

// refused is an operation that AWS has and the local cloud means not to have.
func refused(why string) awsproto.QueryOperation {
	return func(context.Context, url.Values) (any, error) { return nil, unsupported("%s", why) }
}
