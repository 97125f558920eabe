// Package infra stands for a project's Terraform, deployed in a test.
package infra

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"fanfare/localstack/emulator"
)

func TestInfra(t *testing.T) {
	cloud := emulator.Start(t)
	state := "-state=" + filepath.Join(t.TempDir(), "state")
	for _, args := range [][]string{{"init", "-no-color"}, {"apply", "-no-color", "-auto-approve", state}} {
		cmd := exec.CommandContext(t.Context(), "terraform", args...)
		cmd.Env, cmd.Stdout, cmd.Stderr = cloud.Env(), t.Output(), t.Output()
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := dynamodb.NewFromConfig(cloud.Config()).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")}); err != nil {
		t.Error(err)
	}
}
