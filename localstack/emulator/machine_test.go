package emulator_test

import (
	"runtime"

	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

type sqsAttribute = sqstypes.QueueAttributeName

// architecture is this machine's, as Lambda names it.
func architecture() lambdatypes.Architecture {
	if runtime.GOARCH == "arm64" {
		return lambdatypes.ArchitectureArm64
	}
	return lambdatypes.ArchitectureX8664
}
