package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"fanfare/shared/connection"
)

const awsQueue = "https://sqs.eu-west-1.amazonaws.com/123456789012/fanfare-broadcast"

// isolate keeps the SDK from this machine's own configuration.
func isolate(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_CA_BUNDLE": "", "AWS_PROFILE": "",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_EC2_METADATA_DISABLED": "true", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	} {
		t.Setenv(name, value)
	}
}

func TestADeploymentInAWS(t *testing.T) {
	isolate(t)
	file := filepath.Join(t.TempDir(), "outputs.json")
	text := `{"broadcast_queue_url":{"sensitive":false,"type":"string","value":"` + awsQueue + `"},"table_name":{"value":"fanfare-connections"},"other":{"value":[1]}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	environment := map[string]string{"BROADCAST_QUEUE_URL": awsQueue, "TABLE_NAME": "fanfare-connections"}
	for name, tt := range map[string]struct {
		o   options
		env map[string]string
	}{
		"flags":          {options{queueURL: awsQueue, table: "fanfare-connections", follow: true}, nil},
		"a file":         {options{outputs: file, follow: true}, map[string]string{"TABLE_NAME": "another"}},
		"environment":    {options{follow: true}, environment},
		"for its status": {options{table: "fanfare-connections", queueURL: awsQueue, status: "m"}, nil},
	} {
		got, err := findTarget(t.Context(), tt.o, func(name string) string { return tt.env[name] })
		if err != nil || got.queueURL != awsQueue || got.table != "fanfare-connections" || got.config.Region != "eu-west-1" || got.name != "AWS in eu-west-1" {
			t.Errorf("%s: %+v, error %v", name, got, err)
		}
	}
}

func TestADeploymentThatIsNotNamedWhole(t *testing.T) {
	isolate(t)
	bad := filepath.Join(t.TempDir(), "outputs.json")
	if err := os.WriteFile(bad, []byte(`{"broadcast_queue_url":{"value":"x"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, tt := range map[string]struct {
		o   options
		env map[string]string
	}{
		"which queue?":        {options{table: "t", follow: true}, nil},
		"which table":         {options{queueURL: awsQueue, follow: true}, map[string]string{"TABLE_NAME": "of another deployment"}},
		"or -follow=false":    {options{follow: true}, map[string]string{"BROADCAST_QUEUE_URL": awsQueue}},
		"should look like":    {options{queueURL: "fanfare-broadcast", table: "t"}, nil},
		"Set AWS_REGION":      {options{table: "t", status: "m"}, nil},
		"has no table_name":   {options{outputs: bad}, nil},
		"-outputs: open":      {options{outputs: bad + "x"}, nil},
		"is not what `terraf": {options{outputs: "target_test.go"}, nil},
	} {
		if _, err := findTarget(t.Context(), tt.o, func(name string) string { return tt.env[name] }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if got, err := findTarget(t.Context(), options{queueURL: awsQueue}, os.Getenv); err != nil || got.table != "" {
		t.Errorf("a queue alone, not to be followed: %+v, error %v", got, err)
	}
}

func TestCredentialsAreLookedForBeforeAnythingElse(t *testing.T) {
	isolate(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	if _, err := findTarget(t.Context(), options{queueURL: awsQueue}, os.Getenv); err == nil || !strings.Contains(err.Error(), "no AWS credentials: set AWS_PROFILE") {
		t.Errorf("error %v", err)
	}
}

func TestACommandThatIsShownNamesTheDeployment(t *testing.T) {
	isolate(t)
	got, err := findTarget(t.Context(), options{queueURL: awsQueue, table: "t"}, os.Getenv)
	if want := " -queue-url " + awsQueue + " -table t"; err != nil || got.flags != want {
		t.Errorf("flags %q, error %v; want %q", got.flags, err, want)
	}
}

func TestNothingRuns(t *testing.T) {
	isolate(t)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "go.mod"), []byte("module fanfare\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	if _, err := findTarget(t.Context(), options{}, func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "make local") || !strings.Contains(err.Error(), "-outputs") {
		t.Errorf("error %v", err)
	}
}

func TestTheCommandThatGivesBackDeadLetters(t *testing.T) {
	for want, tt := range map[string]target{
		"aws --region eu-west-1 sqs start-message-move-task --source-arn arn:aws:sqs:eu-west-1:123456789012:fanfare-deliver-dead-letters": {
			region: "eu-west-1", queueURL: awsQueue,
		},
		"aws --region cn-north-1 sqs start-message-move-task --source-arn arn:aws-cn:sqs:cn-north-1:1:f-deliver-dead-letters": {
			region: "cn-north-1", queueURL: "https://sqs.cn-north-1.amazonaws.com.cn/1/f-broadcast",
		},
		"aws --endpoint-url http://127.0.0.1:4566 --region us-east-1 sqs start-message-move-task --source-arn arn:aws:sqs:us-east-1:000000000000:fanfare-deliver-dead-letters": {
			region: "us-east-1", endpoint: "http://127.0.0.1:4566", queueURL: "http://localhost:4566/000000000000/fanfare-broadcast",
		},
		"aws --region us-east-1 sqs start-message-move-task --source-arn <ARN of the queue …-deliver-dead-letters>": {region: "us-east-1"},
	} {
		if got := tt.redrive("deliver"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestErrorsOfAWSSayWhatToDo(t *testing.T) {
	w := &tool{target: target{queueURL: awsQueue, table: "fanfare-connections", region: "eu-west-1"}}
	for code, want := range map[string]string{
		"AccessDenied": "publisher_policy_json", "AccessDeniedException": "dynamodb:Query",
		"AWS.SimpleQueueService.NonExistentQueue": awsQueue, "QueueDoesNotExist": awsQueue,
		"ResourceNotFoundException": "is fanfare-connections the deployment's", "ThrottlingException": "",
	} {
		got := w.remedy(errors.Join(errors.New("x"), &smithy.GenericAPIError{Code: code}))
		if !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q", code, got)
		}
	}
}

// Gone is no failure; every other type has its advice.
func TestEveryFailureHasAdvice(t *testing.T) {
	for _, err := range []error{
		connection.ErrForbidden, connection.ErrInvalid, connection.ErrTooLarge, connection.ErrThrottled,
		connection.ErrCircuitOpen, connection.ErrShutdown, t.Context().Err(), errors.New("500"),
	} {
		if err != nil && reasons[connection.TypeOf(err)] == "" {
			t.Errorf("%v has none", err)
		}
	}
}
