package main

// help is what --help prints before the flags.
const help = `A local cloud for WebSocket APIs with Lambda functions: one program, one port, no
account, no token, no Docker.

usage: go run ./localstack [-addr 127.0.0.1:4566] [-data DIR] [-json] [-quiet] [-seed n]
       go run ./localstack COMMAND [arguments] [-addr ADDRESS]

It has API Gateway v2 WebSocket APIs, Lambda (bootstrap binaries, run as
processes), DynamoDB, SQS, IAM, STS, CloudWatch and its Logs, and of KMS the keys
that AWS manages. Point anything that speaks to AWS at it:

  export AWS_ENDPOINT_URL=http://127.0.0.1:4566
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1     (SDKs; the AWS CLI)
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test     (any will do)
  terraform apply

Addresses
  http://127.0.0.1:4566                                         every service
  ws://localhost:4566/_aws/execute-api/<apiId>/<stage>          a deployed API
  http://localhost:4566/_aws/execute-api/<apiId>/<stage>        its @connections
  http://127.0.0.1:4566/_localstack/{health,info,clock,faults,requests,iam,alarms,snapshot}
It listens on loopback unless -addr says otherwise. Whoever reaches it can run
programs on this machine: leave it there. LOCALSTACK_HOST is the name, or name:port,
under which others reach it, for the URLs that it answers with (default: localhost).

Data
With -data the whole cloud is loaded from DIR/cloud.zip, and saved to it at a
clean stop (Ctrl-C, SIGTERM) or by "snapshot": tables, queues with their messages,
functions with their code, APIs, roles, log groups, alarms, and how far the clock
was moved. What was logged, open sockets, running functions, fault rules and the
requests are not kept. Without -data nothing is. A second Ctrl-C stops at once,
and saves nothing.

Commands (each has --help)
  clock [advance 2h]                     the one clock of the cloud: idle sockets, TTL,
                                         visibility, … are seen at once
  fault add|list|remove ID|reset         calls that are slow, fail, are throttled; sockets
                                         that are lost, functions that are killed
  requests [-service …]                  what was asked of the cloud lately
  alarms                                 which ring, and why
  iam report|policy ROLE|clear           what each role is granted, uses and is refused,
                                         and the smallest policy that would do
  snapshot                               save to the data directory
  health, info                           what is there
They speak to the cloud at -addr, or else at $AWS_ENDPOINT_URL.

The log has a line for each request: service, operation, resource, status (of a
socket's end the close code), time. ✗ marks what failed, ⚡ what a fault rule struck,
λ what a function printed.

Not there: HTTP and REST APIs, FIFO queues, streams, container images, layers, S3
and every other service. A request for one is refused with a sentence that says so.
`
