package dynamodb

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/clock"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestTerraformLifecycle makes the calls that the provider's dynamodb_table
// makes for the connections table, and checks what it compares.
func TestTerraformLifecycle(t *testing.T) {
	c, _ := newClient(t, Options{})
	name := aws.String("connections")
	in := &sdk.CreateTableInput{
		TableName: name, BillingMode: types.BillingModePayPerRequest, DeletionProtectionEnabled: aws.Bool(true),
		SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true)},
		Tags:             []types.Tag{{Key: aws.String("project"), Value: aws.String("fanfare")}},
	}
	in.KeySchema, in.AttributeDefinitions = schema("pk:S", "sk:S")
	created, err := c.CreateTable(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	arn := created.TableDescription.TableArn
	if *arn != "arn:aws:dynamodb:us-east-1:000000000000:table/connections" {
		t.Errorf("arn = %s", *arn)
	}
	_, err = c.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{TableName: name, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true)}})
	wantError(t, err, "", "")
	_, err = c.UpdateContinuousBackups(t.Context(), &sdk.UpdateContinuousBackupsInput{TableName: name, PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true), RecoveryPeriodInDays: aws.Int32(7)}})
	wantError(t, err, "", "")

	table, err := c.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	d := table.Table
	if d.TableStatus != types.TableStatusActive || d.BillingModeSummary.BillingMode != types.BillingModePayPerRequest || !*d.DeletionProtectionEnabled ||
		d.SSEDescription.Status != types.SSEStatusEnabled || d.SSEDescription.SSEType != types.SSETypeKms || time.Since(*d.CreationDateTime).Abs() > time.Minute {
		t.Errorf("description %+v", d)
	}
	ttl, err := c.DescribeTimeToLive(t.Context(), &sdk.DescribeTimeToLiveInput{TableName: name})
	if err != nil || ttl.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusEnabled || *ttl.TimeToLiveDescription.AttributeName != "expiresAt" {
		t.Errorf("time to live %+v, %v", ttl, err)
	}
	backups, err := c.DescribeContinuousBackups(t.Context(), &sdk.DescribeContinuousBackupsInput{TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	pitr := backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription
	if pitr.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled || *pitr.RecoveryPeriodInDays != 7 {
		t.Errorf("point-in-time recovery %+v", pitr)
	}

	_, err = c.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	wantError(t, err, "", "")
	_, err = c.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"project"}})
	wantError(t, err, "", "")
	tags, err := c.ListTagsOfResource(t.Context(), &sdk.ListTagsOfResourceInput{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Key != "a" {
		t.Errorf("tags %+v, %v", tags, err)
	}

	_, err = c.DeleteTable(t.Context(), &sdk.DeleteTableInput{TableName: name})
	wantError(t, err, "ValidationException", "protected against deletion")
	_, err = c.UpdateTable(t.Context(), &sdk.UpdateTableInput{TableName: name, DeletionProtectionEnabled: aws.Bool(false)})
	wantError(t, err, "", "")
	_, err = c.DeleteTable(t.Context(), &sdk.DeleteTableInput{TableName: name})
	wantError(t, err, "", "")
	_, err = c.DescribeTable(t.Context(), &sdk.DescribeTableInput{TableName: name})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("error = %v, want ResourceNotFoundException", err)
	}
}

// [BOTO:dynamodb CreateTable].
func TestCreateTableRefuses(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "taken", "pk:S")
	tests := []struct {
		name       string
		change     func(*sdk.CreateTableInput)
		code, want string
	}{
		{"a name in use", func(in *sdk.CreateTableInput) { in.TableName = aws.String("taken") }, "ResourceInUseException", "Table already exists: taken"},
		{"a short name", func(in *sdk.CreateTableInput) { in.TableName = aws.String("ab") }, "ValidationException", "at least 3 characters"},
		{"a name with a slash", func(in *sdk.CreateTableInput) { in.TableName = aws.String("a/b/c") }, "ValidationException", "regular expression pattern"},
		{"an undefined key", func(in *sdk.CreateTableInput) { in.KeySchema, _ = schema("other:S") }, "ValidationException", "not defined in AttributeDefinitions"},
		{"a definition too many", func(in *sdk.CreateTableInput) { _, in.AttributeDefinitions = schema("pk:S", "x:S") }, "ValidationException", "does not exactly match number of attributes"},
		{"provisioned without throughput", func(in *sdk.CreateTableInput) { in.BillingMode = "" }, "ValidationException", "must both be specified when BillingMode is PROVISIONED"},
		{"on demand with throughput", func(in *sdk.CreateTableInput) {
			in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(1), WriteCapacityUnits: aws.Int64(1)}
		}, "ValidationException", "when BillingMode is PAY_PER_REQUEST"},
		{"streams", func(in *sdk.CreateTableInput) {
			in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly}
		}, "ValidationException", "the local cloud does not support DynamoDB Streams"},
		{"local secondary indexes", func(in *sdk.CreateTableInput) {
			in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("lsi"), KeySchema: in.KeySchema, Projection: &types.Projection{}}}
		}, "ValidationException", "the local cloud does not support local secondary indexes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &sdk.CreateTableInput{TableName: aws.String("fresh"), BillingMode: types.BillingModePayPerRequest}
			in.KeySchema, in.AttributeDefinitions = schema("pk:S")
			tt.change(in)
			_, err := c.CreateTable(t.Context(), in)
			wantError(t, err, tt.code, tt.want)
		})
	}
}

func TestUpdateTable(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	put(t, c, "things", attrs{"pk": S("1"), "owner": S("o")})
	update := func(in *sdk.UpdateTableInput) (*types.TableDescription, error) {
		in.TableName = aws.String("things")
		out, err := c.UpdateTable(t.Context(), in)
		if err != nil {
			return nil, err
		}
		return out.TableDescription, nil
	}
	_, err := update(&sdk.UpdateTableInput{})
	wantError(t, err, "ValidationException", "At least one of")
	_, err = update(&sdk.UpdateTableInput{StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true)}})
	wantError(t, err, "ValidationException", "does not support DynamoDB Streams")

	d, err := update(&sdk.UpdateTableInput{SSESpecification: &types.SSESpecification{Enabled: aws.Bool(true), KMSMasterKeyId: aws.String("alias/mine")}})
	if err != nil || *d.SSEDescription.KMSMasterKeyArn != "arn:aws:kms:us-east-1:000000000000:alias/mine" {
		t.Errorf("SSE %+v, %v", d, err)
	}
	d, err = update(&sdk.UpdateTableInput{BillingMode: types.BillingModeProvisioned, ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(6)}})
	if err != nil || d.BillingModeSummary.BillingMode != types.BillingModeProvisioned || *d.ProvisionedThroughput.WriteCapacityUnits != 6 {
		t.Errorf("billing %+v, %v", d, err)
	}
	_, err = update(&sdk.UpdateTableInput{BillingMode: types.BillingModePayPerRequest})
	wantError(t, err, "", "")

	keys, definitions := schema("owner:S")
	_, base := schema("pk:S")
	d, err = update(&sdk.UpdateTableInput{
		AttributeDefinitions: append(base, definitions...),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("by-owner"), KeySchema: keys, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}}},
	})
	if err != nil || len(d.GlobalSecondaryIndexes) != 1 || *d.GlobalSecondaryIndexes[0].ItemCount != 1 {
		t.Errorf("a new index is not filled: %+v, %v", d, err)
	}
	d, err = update(&sdk.UpdateTableInput{GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-owner")}}}})
	if err != nil || len(d.GlobalSecondaryIndexes) != 0 || len(d.AttributeDefinitions) != 1 {
		t.Errorf("after the index is gone: %+v, %v", d, err)
	}
}

// [BOTO:dynamodb UpdateTimeToLive].
func TestTimeToLiveChangesOnceAnHour(t *testing.T) {
	cl := clock.New()
	c, _ := newClient(t, Options{Clock: cl})
	createTable(t, c, "things", "pk:S")
	change := func(attribute string, enabled bool) error {
		_, err := c.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{
			TableName: aws.String("things"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &enabled},
		})
		return err
	}
	wantError(t, change("at", false), "ValidationException", "TimeToLive is already disabled")
	wantError(t, change("at", true), "", "")
	wantError(t, change("at", true), "ValidationException", "TimeToLive is already enabled")
	wantError(t, change("other", true), "ValidationException", "TimeToLive is active on a different AttributeName")
	wantError(t, change("at", false), "ValidationException", "modified multiple times within a fixed interval")
	cl.Advance(time.Hour)
	wantError(t, change("at", false), "", "")
}

// [BOTO:dynamodb ListTables].
func TestListTablesPages(t *testing.T) {
	c, _ := newClient(t, Options{})
	for i := range 5 {
		createTable(t, c, fmt.Sprint("table", i), "pk:S")
	}
	var names []string
	for pages := sdk.NewListTablesPaginator(c, &sdk.ListTablesInput{Limit: aws.Int32(2)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, page.TableNames...)
	}
	if got := strings.Join(names, " "); got != "table0 table1 table2 table3 table4" {
		t.Errorf("tables %s", got)
	}
}

// "You can also provide the Amazon Resource Name (ARN) of the table"
// [BOTO:dynamodb GetItem TableName].
func TestATableAnswersToItsARN(t *testing.T) {
	c, _ := newClient(t, Options{})
	createTable(t, c, "things", "pk:S")
	put(t, c, "arn:aws:dynamodb:us-east-1:000000000000:table/things", attrs{"pk": S("a")})
	if it := get1(t, c, "things", attrs{"pk": S("a")}); it == nil {
		t.Error("not found")
	}
}

// PartiQL, streams, backups and global tables: what AWS has and this service has
// not is refused by its name.
func TestWhatIsMissingIsRefused(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	for _, operation := range []string{
		"DynamoDB_20120810.ExecuteStatement", "DynamoDB_20120810.BatchExecuteStatement", "DynamoDB_20120810.ExecuteTransaction",
		"DynamoDBStreams_20120810.ListStreams", "DynamoDBStreams_20120810.GetRecords", "DynamoDB_20120810.EnableKinesisStreamingDestination",
		"DynamoDB_20120810.CreateBackup", "DynamoDB_20120810.RestoreTableToPointInTime", "DynamoDB_20120810.ExportTableToPointInTime",
		"DynamoDB_20120810.CreateGlobalTable", "DynamoDB_20120810.PutResourcePolicy",
	} {
		t.Run(operation, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
			r.Header.Set("X-Amz-Target", operation)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			want := `"message":"the local cloud has no operation \"` + operation + `\""`
			if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), "#UnknownOperationException") {
				t.Errorf("answer = %d %s, want 404 UnknownOperationException with %s", w.Code, w.Body, want)
			}
		})
	}
}
