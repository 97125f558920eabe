package lambda

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
)

func TestASnapshotRunsAgainElsewhere(t *testing.T) {
	var seen []Mapping
	first := newCloud(t, Options{})
	first.create(t, "f", "", func(in *sdk.CreateFunctionInput) { in.Publish = true; in.Tags = map[string]string{"k": "v"} })
	if _, err := first.AddPermission(t.Context(), &sdk.AddPermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("all"),
		Action: aws.String(invokeAction), Principal: aws.String("*")}); err != nil {
		t.Fatal(err)
	}
	if _, err := first.CreateEventSourceMapping(t.Context(), &sdk.CreateEventSourceMappingInput{
		FunctionName: aws.String("f"), EventSourceArn: aws.String(queueARN)}); err != nil {
		t.Fatal(err)
	}
	state, code, err := first.Snapshot()
	if err != nil {
		t.Fatal(err)
	}

	second := newCloud(t, Options{OnMapping: func(m Mapping) { seen = append(seen, m) }})
	second.create(t, "old", "")
	second.mustInvoke(t, "old", "{}")
	if err := second.Restore(state, code); err != nil {
		t.Fatal(err)
	}
	if res := second.mustInvoke(t, "f:1", `"again"`); string(res.Payload) != `"again"` || res.ExecutedVersion != "1" {
		t.Errorf("answer %s of version %s", res.Payload, res.ExecutedVersion)
	}
	if !second.Allowed("f", "", "anybody.amazonaws.com", "") {
		t.Error("the policy is lost")
	}
	if len(seen) != 1 || seen[0].QueueARN != queueARN || seen[0].State != MappingEnabled {
		t.Errorf("mappings announced: %+v", seen)
	}
	if _, err := second.Invoke(t.Context(), Request{Function: "old"}); err == nil {
		t.Error("a function of before is still there")
	}
	again, sameCode, err := second.Snapshot()
	if err != nil || string(again) != string(state) || !maps.Equal(sameCode, code) {
		t.Errorf("a snapshot of the restored state differs (%v)", err)
	}
}

func TestASnapshotHasCodeOnceAndBesideTheState(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "", func(in *sdk.CreateFunctionInput) { in.Publish = true })
	c.create(t, "g", "")
	state, code, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(functionZip)
	zip, ok := code[hex.EncodeToString(sum[:])+".zip"]
	if !ok || len(code) != 1 {
		t.Fatalf("code %v, want one zip named by its SHA-256", code)
	}
	if have, err := io.ReadAll(io.NewSectionReader(zip, 0, zip.Size())); err != nil || !bytes.Equal(have, functionZip) {
		t.Errorf("%d bytes, %v, want the %d of the zip", len(have), err, len(functionZip))
	}
	if len(state) > 10_000 {
		t.Errorf("the state has %d bytes: is the code in it?", len(state))
	}
}

func section(data []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
}

type unreadable struct{}

var errUnreadable = errors.New("the disk is gone")

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, errUnreadable }

// What is refused is refused before anything has changed.
func TestRestoreRefuses(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "kept", "")
	state, code, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	name := codeName(openedFunction.sha256)
	otherBit := bytes.Clone(functionZip)
	otherBit[len(otherBit)/2] ^= 1
	with := func(zip *io.SectionReader) map[string]*io.SectionReader {
		return map[string]*io.SectionReader{name: zip}
	}
	for _, tt := range []struct {
		what  string
		state string
		code  map[string]*io.SectionReader
		want  string
	}{
		{"half a state", string(state[:len(state)/2]), code, "unexpected end of JSON"},
		{"a function that is null", `{"Functions":[null]}`, code, "an entry is null"},
		{"a mapping that is null", `{"Mappings":[null]}`, code, "an entry is null"},
		{"an event that is null", `{"Events":[null]}`, code, "an entry is null"},
		{"a function without $LATEST", `{"Functions":[{"ARN":"x"}]}`, code, "x lacks a version"},
		{"a checksum that is none", `{"Functions":[{"ARN":"x","Latest":{"CodeID":"?"}}]}`, code, "code of x: it is missing"},
		{"no code", string(state), nil, "kept: it is missing"},
		{"one bit of the code changed", string(state), with(section(otherBit)), "its SHA-256 is "},
		{"code that was cut off", string(state), with(section(functionZip[:len(functionZip)-1])), "its SHA-256 is "},
		{"code that cannot be read", string(state), with(io.NewSectionReader(unreadable{}, 0, 100)), errUnreadable.Error()},
	} {
		t.Run(tt.what, func(t *testing.T) {
			if err := c.Restore([]byte(tt.state), tt.code); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if again, _, err := c.Snapshot(); err != nil || string(again) != string(state) {
				t.Errorf("the state has changed (%v)", err)
			}
		})
	}
	c.mustInvoke(t, "kept", "{}")
}

// Checked at the start of the function: the tables and queues of a cloud that
// moved to another machine are of use even if its functions must be built anew.
func TestRestoredCodeForAnotherMachineSaysWhatToBuild(t *testing.T) {
	const sparc = 43
	zip := mustZip(t, entry{bootstrap, 0o755, elfHeader(sparc)})
	sum := sha256.Sum256(zip)
	a, err := reopenArchive(section(zip), base64.StdEncoding.EncodeToString(sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, a.unpack(t.TempDir()), "InvalidParameterValueException", "built for linux/sparcv9,")
}
