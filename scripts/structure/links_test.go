package structure

import (
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanfare/scripts/artifact"
)

// clients are the AWS services whose client each function links. A client's
// package variables are made at each cold start, whether it is used or not.
var clients = map[string][]string{
	"broadcast":  {"dynamodb", "sqs"},
	"connect":    {"dynamodb"},
	"deliver":    {"dynamodb", "sqs"},
	"disconnect": {"dynamodb"},
	"message":    {"dynamodb", "sqs"},
}

// A weight is a package that a function links only if it needs it.
type weight struct {
	prefix string
	only   []string // functions that need it
	reason string
}

var weights = []weight{
	{prefix: "github.com/lestrrat-go/", only: []string{"connect", "message"}, reason: "only these verify tokens"},
	{prefix: "fanfare/shared/auth", only: []string{"connect", "message"}, reason: "only these verify tokens"},
	{prefix: "fanfare/shared/gateway", only: []string{"broadcast", "deliver", "message"}, reason: "only these post to sockets or close them"},
	{prefix: "fanfare/shared/queue", only: []string{"broadcast", "deliver", "message"}, reason: "only these read or write queues"},
	{prefix: "github.com/aws/aws-sdk-go-v2/config", reason: "it links the clients of SSO, OIDC, sign-in and STS; shared/awsconfig does what Lambda needs"},
	{prefix: "github.com/aws/aws-sdk-go-v2/feature", reason: "instance metadata and the like are no part of Lambda"},
	{prefix: "net/rpc", reason: "lambda.norpc is to leave it out"},
	{prefix: "text/template", reason: "it keeps the linker from leaving out methods that nobody calls"},
	{prefix: "os/exec", reason: "a function starts no programs"},
	{prefix: "testing", reason: "it is for tests"},
}

func (w weight) carriedBy(function string, linked []string) []string {
	if slices.Contains(w.only, function) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(linked), func(path string) bool {
		return !strings.HasPrefix(path+"/", strings.TrimSuffix(w.prefix, "/")+"/")
	})
}

// linked returns all packages in a function's executable, as it is built.
func linked(t *testing.T, function string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", artifact.Tags, "./functions/"+function)
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(out))
}

// client matches the package of a service's client, not of its types.
var client = regexp.MustCompile(`^github\.com/aws/aws-sdk-go-v2/service/([a-z0-9]+)$`)

func TestAFunctionLinksOnlyWhatItNeeds(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) != len(clients) {
		t.Errorf("%d functions, %d of them listed here: %v", len(folders), len(clients), slices.Sorted(maps.Keys(clients)))
	}
	for function, wanted := range clients {
		t.Run(function, func(t *testing.T) {
			packages := linked(t, function)
			var found []string
			for _, path := range packages {
				if m := client.FindStringSubmatch(path); m != nil {
					found = append(found, m[1])
				}
			}
			slices.Sort(found)
			if !slices.Equal(found, wanted) {
				t.Errorf("it links clients of %v, want %v", found, wanted)
			}
			for _, w := range weights {
				if carried := w.carriedBy(function, packages); len(carried) > 0 {
					t.Errorf("it links %v: %s", carried, w.reason)
				}
			}
		})
	}
}
