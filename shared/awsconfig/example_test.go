package awsconfig_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"fanfare/shared/awsconfig"
)

// In a function, the lookup is os.LookupEnv.
func Example() {
	variables := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE"}
	lookup := func(name string) (string, bool) { v, ok := variables[name]; return v, ok }

	_, err := awsconfig.FromEnvironment(lookup)
	fmt.Println(err)

	variables["AWS_SECRET_ACCESS_KEY"] = "secret"
	cfg, err := awsconfig.FromEnvironment(lookup)
	fmt.Println(dynamodb.NewFromConfig(cfg).Options().Region, err)
	// Output:
	// environment: AWS_SECRET_ACCESS_KEY is not set, as Lambda sets it
	// eu-west-1 <nil>
}
