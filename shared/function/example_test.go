package function_test

import (
	"fmt"

	"fanfare/shared/awsconfig"
	"fanfare/shared/function"
)

// A function that cannot start says why, and ends.
func ExampleExitOn() {
	exitOn := function.ExitOn("deliver")
	_, err := awsconfig.FromEnvironment(func(name string) (string, bool) {
		return map[string]string{"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}[name], true
	})
	exitOn(err) // nothing is wrong
	fmt.Println("ready")
	// Output: ready
}
