package cloudwatch

import (
	"context"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
)

const (
	stateOK           = "OK"
	stateAlarm        = "ALARM"
	stateInsufficient = "INSUFFICIENT_DATA"
)

// putMetricAlarm makes an alarm or replaces its definition. As in AWS, an alarm
// that is replaced keeps its state and its tags.
func (s *Service) putMetricAlarm(ctx context.Context, in *putMetricAlarmInput) (any, error) {
	def := in.alarmDefinition
	if err := checkAlarm(&def); err != nil {
		return nil, err
	}
	setAlarmDefaults(&def)
	s.tick()
	now := s.now()
	r := s.state.region(ctx)
	if old, ok := r.Alarms[def.AlarmName]; ok {
		old.alarmDefinition, old.AlarmConfigurationUpdatedTimestamp = def, now
		return nil, nil
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	a := &alarm{
		alarmDefinition: def,
		AlarmArn:        awsproto.ARN(ctx, "cloudwatch", "alarm:"+def.AlarmName),
		StateValue:      stateInsufficient, StateReason: "Unchecked: Initial alarm creation",
		Evaluated:                          now.Unix() / 60,
		AlarmConfigurationUpdatedTimestamp: now, StateUpdatedTimestamp: now, StateTransitionedTimestamp: now,
		Tags: tags,
	}
	r.Alarms[def.AlarmName] = a
	s.log.Debug("alarm created", "alarm", a.AlarmArn)
	return nil, nil
}

// setAlarmDefaults fills in what AWS shows although it was not put.
func setAlarmDefaults(def *alarmDefinition) {
	enabled := true
	if def.ActionsEnabled == nil {
		def.ActionsEnabled = &enabled
	}
	for i := range def.Metrics {
		if def.Metrics[i].ReturnData == nil {
			def.Metrics[i].ReturnData = &enabled
		}
	}
}

const maxAlarmPage = 100

func (s *Service) describeAlarms(ctx context.Context, in *describeAlarmsInput) (describeAlarmsOutput, error) {
	limit := maxAlarmPage
	if in.MaxRecords != nil {
		limit = *in.MaxRecords
	}
	switch {
	case limit < 1 || limit > maxAlarmPage:
		return describeAlarmsOutput{}, validationError("MaxRecords must be between 1 and %d", maxAlarmPage)
	case len(in.AlarmNames) > 0 && in.AlarmNamePrefix != "":
		return describeAlarmsOutput{}, invalidCombination("AlarmNames and AlarmNamePrefix must not be used together")
	case in.StateValue != "" && !isState(in.StateValue):
		return describeAlarmsOutput{}, validationError("StateValue must be OK, ALARM or INSUFFICIENT_DATA")
	}
	for _, kind := range in.AlarmTypes {
		if kind != "MetricAlarm" && kind != "CompositeAlarm" {
			return describeAlarmsOutput{}, validationError("AlarmTypes must be MetricAlarm or CompositeAlarm, not %q", kind)
		}
	}
	s.tick()
	alarms := s.state.region(ctx).alarmsWhere(func(a *alarm) bool { return in.matches(a) })
	some, next, err := page(alarms, func(a alarm) string { return a.AlarmName }, in.NextToken, limit)
	return describeAlarmsOutput{MetricAlarms: some, NextToken: next}, err
}

func (in *describeAlarmsInput) matches(a *alarm) bool {
	actions := slices.Concat(a.OKActions, a.AlarmActions, a.InsufficientDataActions)
	return (len(in.AlarmTypes) == 0 || slices.Contains(in.AlarmTypes, "MetricAlarm")) &&
		(len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, a.AlarmName)) &&
		strings.HasPrefix(a.AlarmName, in.AlarmNamePrefix) &&
		(in.StateValue == "" || in.StateValue == a.StateValue) &&
		(in.ActionPrefix == "" || slices.ContainsFunc(actions, func(action string) bool {
			return strings.HasPrefix(action, in.ActionPrefix)
		}))
}

// deleteAlarms deletes all of the named or, where one is missing, none.
func (s *Service) deleteAlarms(ctx context.Context, in *alarmNamesInput) (any, error) {
	r := s.state.region(ctx)
	if len(in.AlarmNames) == 0 || len(in.AlarmNames) > maxAlarmPage {
		return nil, validationError("AlarmNames must have 1 to %d names", maxAlarmPage)
	}
	for _, name := range in.AlarmNames {
		if _, ok := r.Alarms[name]; !ok {
			return nil, notFound("The alarm %s does not exist; no alarm was deleted", name)
		}
	}
	for _, name := range in.AlarmNames {
		delete(r.Alarms, name)
	}
	s.log.Debug("alarms deleted", "alarms", in.AlarmNames)
	return nil, nil
}

// setAlarmState holds until the next evaluation, at the end of the minute. No
// action is started.
func (s *Service) setAlarmState(ctx context.Context, in *setAlarmStateInput) (any, error) {
	a, ok := s.state.region(ctx).Alarms[in.AlarmName]
	switch {
	case !ok:
		return nil, notFound("The alarm %s does not exist", in.AlarmName)
	case !isState(in.StateValue):
		return nil, validationError("StateValue must be OK, ALARM or INSUFFICIENT_DATA")
	case len(in.StateReason) > 1023:
		return nil, validationError("StateReason must have at most 1023 characters")
	}
	s.tick()
	now := s.now()
	if a.StateValue != in.StateValue {
		a.StateTransitionedTimestamp = now
	}
	a.StateValue, a.StateReason, a.StateReasonData = in.StateValue, in.StateReason, in.StateReasonData
	a.StateUpdatedTimestamp = now
	return nil, nil
}

func isState(v string) bool { return v == stateOK || v == stateAlarm || v == stateInsufficient }

func (s *Service) enableAlarmActions(ctx context.Context, in *alarmNamesInput) (any, error) {
	return s.switchActions(ctx, in, true)
}

func (s *Service) disableAlarmActions(ctx context.Context, in *alarmNamesInput) (any, error) {
	return s.switchActions(ctx, in, false)
}

// switchActions passes over names that are not there: AWS has no error for them.
func (s *Service) switchActions(ctx context.Context, in *alarmNamesInput, on bool) (any, error) {
	if len(in.AlarmNames) == 0 || len(in.AlarmNames) > maxAlarmPage {
		return nil, validationError("AlarmNames must have 1 to %d names", maxAlarmPage)
	}
	for _, name := range in.AlarmNames {
		if a, ok := s.state.region(ctx).Alarms[name]; ok {
			a.ActionsEnabled = &on
		}
	}
	return nil, nil
}
