package emulator

import (
	"maps"
	"slices"
	"testing"

	"fanfare/localstack/lambda"
)

// What a function's answer says about a batch: a part failed, nothing, or
// everything, because it is no partial batch response [LDG:services-sqs-errorhandling].
func TestPartialBatchResponses(t *testing.T) {
	for answer, want := range map[string]struct {
		failed []string
		all    bool
	}{
		`{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"b"}]}`: {failed: []string{"a", "b"}},
		`{"batchItemFailures":[]}`:   {},
		`{"batchItemFailures":null}`: {},
		`{}`:                         {},
		`null`:                       {},
		``:                           {},
		`{"batchItemFailures":[{"itemIdentifier":""}]}`:   {all: true},
		`{"batchItemFailures":[{"itemIdentifier":null}]}`: {all: true},
		`{"batchItemFailures":[{"id":"a"}]}`:              {all: true},
		`{"batchItemFailures":"a"}`:                       {all: true},
		`"done"`:                                          {all: true},
		`{`:                                               {all: true},
	} {
		failed, all := failures(lambda.Mapping{ReportsFailed: true}, []byte(answer))
		if got := slices.Sorted(maps.Keys(failed)); all != want.all || !slices.Equal(got, want.failed) {
			t.Errorf("%s: failed %q, all %v", answer, got, all)
		}
	}
	if failed, all := failures(lambda.Mapping{}, []byte(`{"batchItemFailures":[{"itemIdentifier":"a"}]}`)); failed != nil || all {
		t.Error("a mapping without ReportBatchItemFailures reads the answer")
	}
}
