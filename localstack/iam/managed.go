package iam

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"
)

// awsManaged are the policies of AWS's own that functions and API Gateway
// commonly have attached, with the documents that AWS publishes:
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html.
// Nobody can change them, so they are no part of the state. Their ids are our
// own, but the same in every run.
var awsManaged = byARN(
	awsPolicy("service-role/AWSLambdaBasicExecutionRole", 1, "2015-04-09T15:03:43Z",
		"Provides write permissions to CloudWatch Logs.", `{
  "Version" : "2012-10-17",
  "Statement" : [
    {
      "Effect" : "Allow",
      "Action" : [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents"
      ],
      "Resource" : "*"
    }
  ]
}`),
	awsPolicy("service-role/AWSLambdaSQSQueueExecutionRole", 1, "2018-06-14T21:50:45Z",
		"Provides receive message, delete message, and read attribute access to SQS queues, and write permissions to CloudWatch logs.", `{
  "Version" : "2012-10-17",
  "Statement" : [
    {
      "Effect" : "Allow",
      "Action" : [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents"
      ],
      "Resource" : "*"
    }
  ]
}`),
	awsPolicy("service-role/AWSLambdaVPCAccessExecutionRole", 3, "2016-02-11T23:15:26Z",
		"Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC - create, describe, delete network interfaces and write permissions to CloudWatch Logs.", `{
  "Version" : "2012-10-17",
  "Statement" : [
    {
      "Sid" : "AWSLambdaVPCAccessExecutionPermissions",
      "Effect" : "Allow",
      "Action" : [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses"
      ],
      "Resource" : "*"
    }
  ]
}`),
	awsPolicy("AWSXRayDaemonWriteAccess", 2, "2018-08-28T23:00:33Z",
		"Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and retrieve sampling data (rules, targets, etc.) to be used by the X-Ray SDK.", `{
  "Version" : "2012-10-17",
  "Statement" : [
    {
      "Sid" : "AWSXRayDaemonWriteAccess",
      "Effect" : "Allow",
      "Action" : [
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries"
      ],
      "Resource" : [
        "*"
      ]
    }
  ]
}`),
	awsPolicy("service-role/AmazonAPIGatewayPushToCloudWatchLogs", 1, "2015-11-11T23:41:46Z",
		"Allows API Gateway to push logs to user's account.", `{
  "Version" : "2012-10-17",
  "Statement" : [
    {
      "Effect" : "Allow",
      "Action" : [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents"
      ],
      "Resource" : "*"
    }
  ]
}`),
)

// awsPolicy makes a policy of AWS's with its default version only. It panics on
// a malformed document: they are literals above.
func awsPolicy(pathAndName string, version int, created, description, text string) *policy {
	doc, err := parseIdentity(text)
	if err != nil {
		panic(pathAndName + ": " + err.Error())
	}
	at, err := time.Parse(time.RFC3339, created)
	if err != nil {
		panic(err)
	}
	arn := "arn:aws:iam::aws:policy/" + pathAndName
	id := sha256.Sum256([]byte(arn))
	slash := strings.LastIndex(pathAndName, "/") + 1
	return &policy{
		Name: pathAndName[slash:], Path: "/" + pathAndName[:slash], ARN: arn,
		ID:          "ANPA" + base32.StdEncoding.EncodeToString(id[:])[:17],
		Description: description, Created: at, Updated: at, aws: true,
		Versions:    []policyVersion{{Number: version, Document: doc, Created: at}},
		Default:     version,
		LastVersion: version,
	}
}

func byARN(policies ...*policy) map[string]*policy {
	m := make(map[string]*policy, len(policies))
	for _, p := range policies {
		m[p.ARN] = p
	}
	return m
}
