package logs_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"fanfare/localstack/logs"
)

// What Terraform's provider does for one aws_cloudwatch_log_group, in its order.
// The calls of [TFRUN], AWS.md 6.3.
func TestTheLifeOfALogGroupUnderTerraform(t *testing.T) {
	c := newCloud(t, logs.Options{})
	ctx, name := t.Context(), aws.String("/aws/lambda/message")
	describe := func() []types.LogGroup {
		t.Helper()
		out, err := c.client.DescribeLogGroups(ctx, &sdk.DescribeLogGroupsInput{LogGroupNamePrefix: name})
		if err != nil {
			t.Fatal(err)
		}
		return out.LogGroups
	}
	_, err := c.client.CreateLogGroup(ctx, &sdk.CreateLogGroupInput{
		LogGroupName: name, KmsKeyId: aws.String("arn:aws:kms:us-east-1:000000000000:key/1"),
		LogGroupClass: types.LogGroupClassStandard, Tags: map[string]string{"team": "events"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.client.PutRetentionPolicy(ctx, &sdk.PutRetentionPolicyInput{LogGroupName: name, RetentionInDays: aws.Int32(14)}); err != nil {
		t.Fatal(err)
	}
	got := describe()
	if len(got) != 1 {
		t.Fatalf("DescribeLogGroups = %v, want one", got)
	}
	g, arn := got[0], "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/message"
	if *g.Arn != arn+":*" || *g.LogGroupArn != arn || *g.RetentionInDays != 14 || g.LogGroupClass != "STANDARD" ||
		*g.KmsKeyId != "arn:aws:kms:us-east-1:000000000000:key/1" || *g.CreationTime < 1e12 {
		t.Errorf("log group = %+v", g)
	}

	if _, err := c.client.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: &arn, Tags: map[string]string{"stage": "dev"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.client.UntagResource(ctx, &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"team"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := c.client.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: &arn})
	if want := map[string]string{"stage": "dev"}; err != nil || !maps.Equal(tags.Tags, want) {
		t.Errorf("tags = %v, %v; want %v", tags, err, want)
	}

	if _, err := c.client.DeleteRetentionPolicy(ctx, &sdk.DeleteRetentionPolicyInput{LogGroupName: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.client.DisassociateKmsKey(ctx, &sdk.DisassociateKmsKeyInput{LogGroupName: name}); err != nil {
		t.Fatal(err)
	}
	if g := describe()[0]; g.RetentionInDays != nil || g.KmsKeyId != nil {
		t.Errorf("retention = %v, key = %v; want neither", g.RetentionInDays, g.KmsKeyId)
	}

	if _, err := c.client.DeleteLogGroup(ctx, &sdk.DeleteLogGroupInput{LogGroupName: name}); err != nil {
		t.Fatal(err)
	}
	if got := describe(); len(got) != 0 {
		t.Errorf("after DeleteLogGroup: %v, want an empty list", got)
	}
}

// [BOTO:logs CreateLogGroup, DeleteLogGroup].
func TestGroupsThatAreThereOrNotThere(t *testing.T) {
	c := newCloud(t, logs.Options{})
	ctx, g, missing := t.Context(), aws.String("g"), aws.String("missing")
	c.group("g")
	_, err := c.client.CreateLogGroup(ctx, &sdk.CreateLogGroupInput{LogGroupName: g})
	if _, ok := errors.AsType[*types.ResourceAlreadyExistsException](err); !ok {
		t.Errorf("creating twice: %v, want ResourceAlreadyExistsException", err)
	}
	for name, call := range map[string]func() error{
		"DeleteLogGroup": func() error {
			_, err := c.client.DeleteLogGroup(ctx, &sdk.DeleteLogGroupInput{LogGroupName: missing})
			return err
		},
		"PutRetentionPolicy": func() error {
			_, err := c.client.PutRetentionPolicy(ctx, &sdk.PutRetentionPolicyInput{LogGroupName: missing, RetentionInDays: aws.Int32(1)})
			return err
		},
		"ListTagsForResource": func() error {
			_, err := c.client.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{
				ResourceArn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:missing")})
			return err
		},
		"FilterLogEvents": func() error {
			_, err := c.client.FilterLogEvents(ctx, &sdk.FilterLogEventsInput{LogGroupName: missing})
			return err
		},
		"GetLogEvents without the stream": func() error {
			_, err := c.client.GetLogEvents(ctx, &sdk.GetLogEventsInput{LogGroupName: g, LogStreamName: missing})
			return err
		},
	} {
		if err := call(); !isNotFound(err) {
			t.Errorf("%s: %v, want ResourceNotFoundException", name, err)
		}
	}
}

// [BOTO:logs DescribeLogGroups].
func TestDescribeLogGroupsPagesByPrefix(t *testing.T) {
	c := newCloud(t, logs.Options{})
	for _, name := range []string{"/b/3", "/a/1", "/b/1", "/b/2"} {
		c.group(name)
	}
	var pages []string
	p := sdk.NewDescribeLogGroupsPaginator(c.client, &sdk.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/b/"), Limit: aws.Int32(2)})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range out.LogGroups {
			pages = append(pages, *g.LogGroupName)
		}
		pages = append(pages, "|")
	}
	if got, want := strings.Join(pages, " "), "/b/1 /b/2 | /b/3 |"; got != want {
		t.Errorf("pages = %q, want %q", got, want)
	}
}

// [BOTO:logs CreateLogGroup, PutRetentionPolicy].
func TestWhatIsRefusedOfGroups(t *testing.T) {
	c := newCloud(t, logs.Options{})
	ctx, g := t.Context(), aws.String("g")
	c.group("g")
	create := func(in *sdk.CreateLogGroupInput) error {
		_, err := c.client.CreateLogGroup(ctx, in)
		return err
	}
	describe := func(in *sdk.DescribeLogGroupsInput) error {
		_, err := c.client.DescribeLogGroups(ctx, in)
		return err
	}
	_, twoDays := c.client.PutRetentionPolicy(ctx, &sdk.PutRetentionPolicyInput{LogGroupName: g, RetentionInDays: aws.Int32(2)})
	_, noARN := c.client.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceArn: g})
	for what, err := range map[string]error{
		"a name with a space":      create(&sdk.CreateLogGroupInput{LogGroupName: aws.String("a b")}),
		"an unknown class":         create(&sdk.CreateLogGroupInput{LogGroupName: aws.String("x"), LogGroupClass: types.LogGroupClassDelivery}),
		"deletion protection":      create(&sdk.CreateLogGroupInput{LogGroupName: aws.String("x"), DeletionProtectionEnabled: aws.Bool(true)}),
		"a retention of two days":  twoDays,
		"a name instead of an ARN": noARN,
		"prefix and pattern":       describe(&sdk.DescribeLogGroupsInput{LogGroupNamePrefix: g, LogGroupNamePattern: g}),
		"a page of 51":             describe(&sdk.DescribeLogGroupsInput{Limit: aws.Int32(51)}),
		"a token of somebody else": describe(&sdk.DescribeLogGroupsInput{NextToken: aws.String("!")}),
		"linked accounts' groups":  describe(&sdk.DescribeLogGroupsInput{IncludeLinkedAccounts: aws.Bool(true)}),
		"groups by list of names":  describe(&sdk.DescribeLogGroupsInput{LogGroupIdentifiers: []string{"g"}}),
	} {
		expectInvalid(t, what, err)
	}
}

func TestSnapshotKeepsSettingsAndForgetsEvents(t *testing.T) {
	old := newCloud(t, logs.Options{})
	_, err := old.client.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: aws.String("g"), Tags: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.client.PutRetentionPolicy(t.Context(), &sdk.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(3)}); err != nil {
		t.Fatal(err)
	}
	old.write("s", "secret of the process that is gone")
	data, err := old.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	c := newCloud(t, logs.Options{})
	c.group("to-be-replaced")
	if err := c.Restore(data); err != nil {
		t.Fatal(err)
	}
	out, err := c.client.DescribeLogGroups(t.Context(), &sdk.DescribeLogGroupsInput{})
	if err != nil || len(out.LogGroups) != 1 || *out.LogGroups[0].LogGroupName != "g" || *out.LogGroups[0].RetentionInDays != 3 {
		t.Errorf("groups = %+v, %v; want g with 3 days", out, err)
	}
	if got := c.Events("g"); len(got) != 0 {
		t.Errorf("events = %v, want none", got)
	}
	if err := c.Restore([]byte(`{"groups":[{"name":"a b"}]}`)); err == nil {
		t.Error("a bad name was restored")
	}
	if !slices.Contains(strings.Split(string(data), `"`), "retentionDays") {
		t.Errorf("snapshot = %s", data)
	}
}
