package conformance

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// claim is one thing that AWS does and the local cloud does alike.
type claim struct {
	says string
	// sources are tags as in the legend below, each in brackets. Without one
	// it is the local cloud's own promise.
	sources string
	// unverified: inference or analogy. Nobody has published what AWS does.
	unverified bool
	test       func(t *testing.T)
}

// section is a chapter of the table.
type section struct {
	title  string
	claims []claim
}

// table is the whole of it, in the order of CONFORMANCE.md.
func table() []section {
	return []section{
		{"Upgrade and $connect", connectClaims}, {"Events", eventClaims}, {"Routing", routingClaims}, {"Deployments", deploymentClaims},
		{"How sockets end", closeClaims}, {"@connections", connectionsClaims}, {"Signatures", signatureClaims}, {"Permissions", permissionClaims},
		{"REQUEST authorizers", authorizerClaims}, {"Access logs", accessLogClaims}, {"Account limits", accountLimitClaims},
		{"Lambda", lambdaClaims}, {"Freezing", freezeClaims}, {"SQS", sqsClaims}, {"SQS event sources", eventSourceClaims},
		{"Control planes", controlClaims}, {"Metrics and alarms", alarmClaims}, {"What is missing is refused", refusalClaims},
		{"Faults, requests and time", localClaims},
	}
}

// check plays claims side by side. Those that move the clock have a cloud of
// their own.
func check(t *testing.T, claims []claim) {
	for _, c := range claims {
		t.Run(strings.TrimSpace(c.says+" "+c.sources), func(t *testing.T) {
			t.Parallel()
			c.test(t)
		})
	}
}

// legend is what the tags mean, as CONFORMANCE.md explains them.
var legend = map[string]string{
	"DG": "API Gateway developer guide, page", "WEB": "AWS page", "LDG": "Lambda developer guide, page",
	"ISS": "GitHub thread", "BOTO": "AWS's API model in botocore", "BREF": "answers of AWS recorded in brefphp/api-gateway-websocket-client",
	"OBS-wscat": "published transcripts of wscat sessions with AWS", "OBS-evt": "published dumps of AWS's events",
	"LGO": "aws/aws-lambda-go", "RIE": "aws-lambda-runtime-interface-emulator", "SLSO": "end-to-end tests that serverless-offline runs against AWS too",
	"TFRUN": "what Terraform's AWS provider 5.100.0 needs, measured", "GORUN": "aws-sdk-go-v2, measured", "RFC": "IETF",
}

var tag = regexp.MustCompile(`\[([A-Za-z-]+)[^\]]*\]`)

func TestEveryClaimHasItsSourceAndItsOwnName(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range table() {
		if len(s.claims) == 0 {
			t.Errorf("%s claims nothing", s.title)
		}
		for _, c := range s.claims {
			if seen[c.says] {
				t.Errorf("%q is claimed twice", c.says)
			}
			seen[c.says] = true
			if strings.Contains(c.says+c.sources, "/") {
				t.Errorf("%q: a slash would split the subtest's name", c.says)
			}
			if rest := strings.TrimSpace(tag.ReplaceAllString(c.sources, "")); rest != "" {
				t.Errorf("%q: sources %q are not all in brackets", c.says, c.sources)
			}
			for _, m := range tag.FindAllStringSubmatch(c.sources, -1) {
				if legend[m[1]] == "" {
					t.Errorf("%q: nobody says what the source %s is", c.says, m[0])
				}
			}
		}
	}
}

const document = "../CONFORMANCE.md"

var update = flag.Bool("update", false, "write ../CONFORMANCE.md from the table of claims")

func TestTheDocumentListsTheClaims(t *testing.T) {
	want := render()
	if *update {
		if err := os.WriteFile(document, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(document); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the table says (error %v): run this test with -update", document, err)
	}
}

func render() []byte {
	var b bytes.Buffer
	b.WriteString("# What the local cloud does as AWS does\n\n" +
		"Each line is a test that plays against the whole cloud from outside: `go test ./localstack/conformance`. The bracket is where\n" +
		"the line comes from; a line without one is the local cloud's own promise. *Unverified* lines are our best reading: nobody has\n" +
		"published what AWS does. Written from the tests by `go test ./localstack/conformance -run TestTheDocument -update`.\n")
	for _, s := range table() {
		fmt.Fprintf(&b, "\n## %s\n", s.title)
		for _, c := range s.claims {
			fmt.Fprintf(&b, "- %s", c.says)
			if c.sources != "" {
				b.WriteString(" " + c.sources)
			}
			if c.unverified {
				b.WriteString(" *unverified*")
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n## Sources\n")
	for _, name := range []string{"DG", "WEB", "LDG", "BOTO", "ISS", "BREF", "OBS-wscat", "OBS-evt", "SLSO", "LGO", "RIE", "TFRUN", "GORUN", "RFC"} {
		fmt.Fprintf(&b, "- %s: %s\n", name, legend[name])
	}
	return b.Bytes()
}
