package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"fanfare/scripts/stack"
)

// target is the deployment that is spoken to.
type target struct {
	name     string // for people
	queueURL string // of the broadcast queue, empty where it is not needed
	table    string // empty where it is not needed
	region   string
	endpoint string // of a local cloud, else empty
	config   aws.Config
	flags    string // that name it, for commands that are shown
}

// findTarget returns what the flags name, or else the environment, or else what
// `make local` runs. Nothing is sent yet.
func findTarget(ctx context.Context, o options, getenv func(string) string) (target, error) {
	t := target{queueURL: o.queueURL, table: o.table}
	switch {
	case o.outputs != "":
		outputs, err := readOutputs(o.outputs)
		if err != nil {
			return target{}, err
		}
		t.queueURL, t.table, t.flags = outputs.BroadcastQueueURL, outputs.TableName, " -outputs "+o.outputs
	case o.queueURL != "" || o.table != "":
		// The environment may name another deployment: it does not complete flags.
		if o.queueURL != "" {
			t.flags += " -queue-url " + o.queueURL
		}
		if o.table != "" {
			t.flags += " -table " + o.table
		}
	default:
		t.queueURL, t.table = getenv("BROADCAST_QUEUE_URL"), getenv("TABLE_NAME")
	}
	if t.queueURL == "" && t.table == "" {
		return localTarget(ctx)
	}
	if err := t.complete(o); err != nil {
		return target{}, err
	}
	return t, t.configure(ctx)
}

// complete refuses a target that lacks what the options need.
func (t *target) complete(o options) error {
	publishes := o.status == "" && !o.dryRun
	switch {
	case publishes && t.queueURL == "":
		return usagef("which queue? -queue-url (or BROADCAST_QUEUE_URL) beside the table, or -outputs for both")
	case (!publishes || o.follow) && t.table == "":
		return usagef("which table has the receipts? -table (or TABLE_NAME) beside the queue, or -outputs for both, or -follow=false")
	case t.queueURL == "":
		return nil
	}
	if u, err := url.Parse(t.queueURL); err != nil || u.Host == "" || strings.Count(strings.Trim(u.Path, "/"), "/") < 1 {
		return usagef("the queue's URL is %q: it should look like https://sqs.eu-west-1.amazonaws.com/123456789012/fanfare-broadcast", t.queueURL)
	}
	return nil
}

// configure takes region and credentials of the SDK's default chain. The
// region that the queue's URL names goes before: the table is in the same.
func (t *target) configure(ctx context.Context) (err error) {
	if t.config, err = config.LoadDefaultConfig(ctx); err != nil {
		return fmt.Errorf("AWS configuration: %w", err)
	}
	t.config.Region = cmp.Or(regionOf(t.queueURL), t.config.Region)
	if t.config.Region == "" {
		return usagef("which region? Set AWS_REGION")
	}
	if _, err := t.config.Credentials.Retrieve(ctx); err != nil {
		return fmt.Errorf("no AWS credentials: set AWS_PROFILE, or log in as for the AWS CLI: %w", err)
	}
	t.region, t.endpoint = t.config.Region, aws.ToString(t.config.BaseEndpoint)
	t.name = cmp.Or(t.endpoint, "AWS in "+t.region)
	return nil
}

// regionOf reads https://sqs.<region>.amazonaws.com/…
func regionOf(queueURL string) string {
	u, err := url.Parse(queueURL)
	if err != nil {
		return ""
	}
	parts := strings.Split(u.Hostname(), ".")
	if len(parts) < 4 || parts[0] != "sqs" || parts[2] != "amazonaws" {
		return ""
	}
	return parts[1]
}

// localTarget is the running `make local`. No key of a real account is used.
func localTarget(ctx context.Context) (target, error) {
	root, err := stack.FindRoot()
	if err != nil {
		return target{}, err
	}
	endpoint, outputs, err := stack.Running(ctx, root)
	if err != nil {
		return target{}, fmt.Errorf("%w; for AWS, name a deployment with -outputs or with -queue-url and -table", err)
	}
	const region = "us-east-1"
	return target{
		name: "the local cloud", queueURL: outputs.BroadcastQueueURL, table: outputs.TableName, region: region, endpoint: endpoint,
		config: aws.Config{
			Region: region, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		},
	}, nil
}

// readOutputs reads what `terraform output -json` prints.
func readOutputs(file string) (o stack.Outputs, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return o, fmt.Errorf("-outputs: %w", err)
	}
	var outputs map[string]struct{ Value json.RawMessage }
	if err := json.Unmarshal(text, &outputs); err != nil {
		return o, usagef("-outputs %s is not what `terraform output -json` prints: %v", file, err)
	}
	for name, to := range map[string]*string{"broadcast_queue_url": &o.BroadcastQueueURL, "table_name": &o.TableName} {
		if json.Unmarshal(outputs[name].Value, to) != nil || *to == "" {
			return o, usagef("-outputs %s has no %s: it must be Fanfare's own `terraform output -json`", file, name)
		}
	}
	return o, nil
}

// redrive returns the command that gives a dead-letter queue's messages back to
// their queue: reader is the function that reads that one. Queues are called
// after their readers (infra/main.tf).
func (t target) redrive(reader string) string {
	command := "aws"
	if t.endpoint != "" {
		command += " --endpoint-url " + t.endpoint
	}
	command += " --region " + t.region + " sqs start-message-move-task --source-arn "
	u, err := url.Parse(t.queueURL)
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if err != nil || len(parts) < 2 {
		return command + "<ARN of the queue …-" + reader + "-dead-letters>"
	}
	account, name := parts[len(parts)-2], strings.TrimSuffix(parts[len(parts)-1], "-broadcast")
	return command + fmt.Sprintf("arn:%s:sqs:%s:%s:%s-%s-dead-letters", partition(t.region), t.region, account, name, reader)
}

// partition is the part of AWS that a region belongs to.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
