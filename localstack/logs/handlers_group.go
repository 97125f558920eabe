package logs

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
)

const (
	classStandard         = "STANDARD"
	classInfrequentAccess = "INFREQUENT_ACCESS"
)

var (
	groupName = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	// retentions are the days that PutRetentionPolicy takes.
	retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)

func checkGroupName(name string) error {
	if !groupName.MatchString(name) {
		return invalidParameter("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+ and have 1 to 512 characters", name)
	}
	return nil
}

func (s *Service) createLogGroup(_ context.Context, in *createLogGroupInput) (none, error) {
	if err := checkGroupName(in.LogGroupName); err != nil {
		return none{}, err
	}
	if err := checkTags(in.Tags); err != nil {
		return none{}, err
	}
	switch in.LogGroupClass {
	case "", classStandard, classInfrequentAccess:
	default:
		return none{}, unsupported("the log group class " + in.LogGroupClass)
	}
	if in.DeletionProtectionEnabled {
		return none{}, unsupported("deletion protection of log groups")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.groups[in.LogGroupName]; ok {
		return none{}, errGroupExists
	}
	s.groups[in.LogGroupName] = newGroup(settings{
		Name: in.LogGroupName, Created: s.clock.Now(), KMSKeyID: in.KMSKeyID,
		Class: in.LogGroupClass, Tags: maps.Clone(in.Tags),
	})
	return none{}, nil
}

func (s *Service) deleteLogGroup(_ context.Context, in *groupInput) (none, error) {
	return none{}, s.change(in.LogGroupName, func(g *group) error {
		delete(s.groups, g.Name)
		return nil
	})
}

// change runs f on a group while the service is locked.
func (s *Service) change(name string, f func(*group) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.group(name)
	if err != nil {
		return err
	}
	return f(g)
}

func (s *Service) describeLogGroups(ctx context.Context, in *describeLogGroupsInput) (out describeLogGroupsOutput, err error) {
	if err := in.check(); err != nil {
		return out, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, g := range s.groups {
		if strings.HasPrefix(name, in.LogGroupNamePrefix) && strings.Contains(name, in.LogGroupNamePattern) &&
			(in.LogGroupClass == "" || in.LogGroupClass == g.Class) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names, out.NextToken, err = listPage(names, func(n string) string { return n },
		func(n, last string) bool { return n > last }, in.Limit, in.NextToken)
	out.LogGroups = []logGroup{}
	for _, name := range names {
		g := s.groups[name]
		g.expire(s.clock.Now())
		out.LogGroups = append(out.LogGroups, g.describe(ctx))
	}
	return out, err
}

func (in *describeLogGroupsInput) check() error {
	switch {
	case in.LogGroupNamePrefix != "" && in.LogGroupNamePattern != "":
		return invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	case len(in.LogGroupIdentifiers) > 0:
		return unsupported("logGroupIdentifiers in DescribeLogGroups; use logGroupNamePrefix")
	case in.IncludeLinkedAccounts || len(in.AccountIdentifiers) > 0:
		return unsupported("linked accounts")
	}
	return nil
}

func (g *group) describe(ctx context.Context) logGroup {
	arn := groupARN(ctx, g.Name)
	return logGroup{
		ARN: arn + ":*", LogGroupARN: arn, LogGroupName: g.Name, LogGroupClass: g.Class,
		CreationTime: g.Created.UnixMilli(), RetentionInDays: g.RetentionDays, KMSKeyID: g.KMSKeyID, StoredBytes: g.bytes,
	}
}

func groupARN(ctx context.Context, name string) string {
	return awsproto.ARN(ctx, "logs", "log-group:"+name)
}

func (s *Service) putRetentionPolicy(_ context.Context, in *putRetentionPolicyInput) (none, error) {
	if in.RetentionInDays == nil || !slices.Contains(retentions, *in.RetentionInDays) {
		return none{}, invalidParameter("retentionInDays must be one of %v", retentions)
	}
	return none{}, s.change(in.LogGroupName, func(g *group) error {
		g.RetentionDays = *in.RetentionInDays
		return nil
	})
}

func (s *Service) deleteRetentionPolicy(_ context.Context, in *groupInput) (none, error) {
	return none{}, s.change(in.LogGroupName, func(g *group) error {
		g.RetentionDays = 0
		return nil
	})
}

func (s *Service) associateKMSKey(_ context.Context, in *kmsKeyInput) (none, error) {
	if in.KMSKeyID == "" {
		return none{}, invalidParameter("kmsKeyId is required")
	}
	return none{}, s.setKMSKey(in, in.KMSKeyID)
}

func (s *Service) disassociateKMSKey(_ context.Context, in *kmsKeyInput) (none, error) {
	return none{}, s.setKMSKey(in, "")
}

func (s *Service) setKMSKey(in *kmsKeyInput, id string) error {
	if in.ResourceIdentifier != "" {
		return unsupported("resourceIdentifier for KMS keys; use logGroupName")
	}
	return s.change(in.LogGroupName, func(g *group) error {
		g.KMSKeyID = id
		return nil
	})
}

// parseGroupARN reads arn:aws:logs:<region>:<account>:log-group:<name>, with or
// without ":*" behind. The region is not looked at: groups have none here.
func parseGroupARN(arn string) (name string, err error) {
	parts := strings.SplitN(strings.TrimSuffix(arn, ":*"), ":", 7)
	if len(parts) != 7 || parts[0] != "arn" || parts[1] != "aws" || parts[2] != "logs" || parts[5] != "log-group" || parts[3] == "" {
		return "", invalidParameter("Invalid ARN: %q is not the ARN of a log group", arn)
	}
	if err := checkGroupName(parts[6]); err != nil {
		return "", err
	}
	if parts[4] != awsproto.AccountID {
		return "", errGroupNotFound
	}
	return parts[6], nil
}

func (s *Service) changeByARN(arn string, f func(*group) error) error {
	name, err := parseGroupARN(arn)
	if err != nil {
		return err
	}
	return s.change(name, f)
}

func (s *Service) listTagsForResource(_ context.Context, in *resourceInput) (out listTagsOutput, err error) {
	err = s.changeByARN(in.ResourceARN, func(g *group) error {
		out.Tags = maps.Clone(g.Tags)
		return nil
	})
	return out, err
}

func (s *Service) tagResource(_ context.Context, in *tagResourceInput) (none, error) {
	return none{}, s.changeByARN(in.ResourceARN, func(g *group) error {
		merged := maps.Clone(g.Tags)
		maps.Copy(merged, in.Tags)
		if err := checkTags(merged); err != nil {
			return err
		}
		g.Tags = merged
		return nil
	})
}

func (s *Service) untagResource(_ context.Context, in *untagResourceInput) (none, error) {
	return none{}, s.changeByARN(in.ResourceARN, func(g *group) error {
		for _, key := range in.TagKeys {
			delete(g.Tags, key)
		}
		return nil
	})
}

func checkTags(tags map[string]string) error {
	if len(tags) > 50 {
		return awsproto.Errorf(400, "TooManyTagsException", "A resource can have no more than 50 tags.")
	}
	for key, value := range tags {
		if len(key) < 1 || len(key) > 128 || len(value) > 256 {
			return invalidParameter("Tag %q is invalid: keys have 1 to 128 characters, values at most 256.", key)
		}
	}
	return nil
}
