package dynamodb

import (
	"context"
	"maps"
	"slices"
	"time"

	"fanfare/localstack/awsproto"
)

// ttlSettings is a table's time to live.
type ttlSettings struct {
	Attribute string // "" while off
	Changed   time.Time
}

// ttlInterval is how often AWS lets time to live be changed.
const ttlInterval = time.Hour

func (s *Service) updateTimeToLive(ctx context.Context, in *updateTTLInput) (*updateTTLOutput, error) {
	spec := in.TimeToLiveSpecification
	if spec == nil || spec.AttributeName == "" || len(spec.AttributeName) > 255 {
		return nil, validation("TimeToLiveSpecification needs an AttributeName of 1 to 255 characters")
	}
	t, err := s.liveTable(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	now := s.clock.Now()
	if err := t.settings.TTL.checkChange(spec, now); err != nil {
		return nil, err
	}
	t.settings.TTL = ttlSettings{Changed: now}
	if spec.Enabled {
		t.settings.TTL.Attribute = spec.AttributeName
	}
	s.startTTL(t, t.settings.TTL.Attribute)
	return &updateTTLOutput{*spec}, nil
}

func (current ttlSettings) checkChange(spec *ttlSpecification, now time.Time) error {
	switch {
	case current.Attribute != "" && current.Attribute != spec.AttributeName:
		return validation("TimeToLive is active on a different AttributeName: current AttributeName is %s", current.Attribute)
	case current.Attribute != "" && spec.Enabled:
		return validation("TimeToLive is already enabled")
	case current.Attribute == "" && !spec.Enabled:
		return validation("TimeToLive is already disabled")
	case !current.Changed.IsZero() && now.Sub(current.Changed) < ttlInterval:
		return validation("Time to live has been modified multiple times within a fixed interval")
	}
	return nil
}

func (s *Service) describeTimeToLive(ctx context.Context, in *tableNameInput) (*describeTTLOutput, error) {
	t, err := s.liveTable(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	d := ttlDescription{TimeToLiveStatus: "DISABLED"}
	if a := t.settings.TTL.Attribute; a != "" {
		d = ttlDescription{"ENABLED", a}
	}
	return &describeTTLOutput{d}, nil
}

// backupSettings is point-in-time recovery, as a setting: nothing is backed up.
type backupSettings struct {
	Enabled bool
	Since   time.Time
	Days    int
}

// maxRecoveryDays is AWS's default and maximum.
const maxRecoveryDays = 35

func (s *Service) updateContinuousBackups(ctx context.Context, in *updateBackupsInput) (*backupsOutput, error) {
	spec := in.PointInTimeRecoverySpecification
	if spec == nil {
		return nil, validation("The parameter 'PointInTimeRecoverySpecification' is required but was not present in the request")
	}
	days := maxRecoveryDays
	if spec.RecoveryPeriodInDays != nil {
		if days = *spec.RecoveryPeriodInDays; days < 1 || days > maxRecoveryDays {
			return nil, constraint(days, "pointInTimeRecoverySpecification.recoveryPeriodInDays", "Member must have value between 1 and %d", maxRecoveryDays)
		}
	}
	t, err := s.backupTable(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	b := &t.settings.Backups
	switch {
	case !spec.PointInTimeRecoveryEnabled:
		*b = backupSettings{}
	case b.Enabled:
		b.Days = days
	default:
		*b = backupSettings{true, s.clock.Now(), days}
	}
	return s.describeBackups(t), nil
}

func (s *Service) describeContinuousBackups(ctx context.Context, in *tableNameInput) (*backupsOutput, error) {
	t, err := s.backupTable(ctx, in.TableName)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	return s.describeBackups(t), nil
}

// backupTable is liveTable with the error that the backup operations have.
func (s *Service) backupTable(ctx context.Context, name string) (*table, error) {
	t, err := s.liveTable(ctx, name)
	if err != nil {
		return nil, awsproto.Errorf(400, "TableNotFoundException", "Table not found: %s", name)
	}
	return t, nil
}

func (s *Service) describeBackups(t *table) *backupsOutput {
	d := backupsDescription{ContinuousBackupsStatus: "ENABLED"}
	d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus = "DISABLED"
	if b := t.settings.Backups; b.Enabled {
		now := s.clock.Now()
		earliest := now.AddDate(0, 0, -b.Days)
		if b.Since.After(earliest) {
			earliest = b.Since
		}
		d.PointInTimeRecoveryDescription = pitrDescription{"ENABLED", b.Days, epoch{earliest}, epoch{now}}
	}
	return &backupsOutput{d}
}

const maxTags = 50

// addTags puts tags into have, or refuses them all.
func addTags(have map[string]string, tags []tag) error {
	for _, t := range tags {
		if n := len([]rune(t.Key)); n < 1 || n > 128 || len([]rune(t.Value)) > 256 {
			return validation("One or more parameter values were invalid: a tag key has 1 to 128 characters, its value at most 256: %q", t.Key)
		}
		have[t.Key] = t.Value
	}
	if len(have) > maxTags {
		return validation("One or more parameter values were invalid: Too many tags; a resource can have at most %d", maxTags)
	}
	return nil
}

func (s *Service) tagResource(ctx context.Context, in *tagResourceInput) (*emptyOutput, error) {
	return s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) error { return addTags(tags, in.Tags) })
}

func (s *Service) untagResource(ctx context.Context, in *tagResourceInput) (*emptyOutput, error) {
	return s.changeTags(ctx, in.ResourceArn, func(tags map[string]string) error {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		return nil
	})
}

func (s *Service) changeTags(ctx context.Context, arn string, change func(map[string]string) error) (*emptyOutput, error) {
	t, err := s.taggedTable(ctx, arn)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	tags := maps.Clone(t.settings.Tags)
	if err := change(tags); err != nil {
		return nil, err
	}
	t.settings.Tags = tags
	return &emptyOutput{}, nil
}

func (s *Service) listTagsOfResource(ctx context.Context, in *tagResourceInput) (*listTagsOutput, error) {
	t, err := s.taggedTable(ctx, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	out := &listTagsOutput{Tags: []tag{}}
	for _, key := range slices.Sorted(maps.Keys(t.settings.Tags)) {
		out.Tags = append(out.Tags, tag{key, t.settings.Tags[key]})
	}
	return out, nil
}

func (s *Service) taggedTable(ctx context.Context, arn string) (*table, error) {
	if t, err := s.liveTable(ctx, arn); err == nil {
		return t, nil
	}
	return nil, awsproto.Errorf(400, "ResourceNotFoundException", "Requested resource not found: ResourcArn: %s not found", arn)
}
