package emulator

import (
	"fmt"
	"strings"
	"testing"
)

func TestARoleThatAsksForEverNewResourcesTakesNobodyElsesCounts(t *testing.T) {
	const arn = "arn:aws:sqs:us-east-1:000000000000:"
	var u usage
	for i := range 2 * maxUses {
		u.note(use{role: "noisy", action: "sqs:SendMessage", resource: fmt.Sprint(arn, i)}, verdict{})
	}
	u.note(use{role: "quiet", action: "sqs:SendMessage", resource: arn + "mine"}, verdict{allowed: true})
	all := u.list()
	if len(all) > maxUses+2 {
		t.Errorf("%d are counted apart, more than %d of one role", len(all), maxUses)
	}
	last := all[len(all)-1]
	if p := string(smallestPolicy([]Access{last})); last.Role != "quiet" || !strings.Contains(p, `["`+arn+`mine"]`) {
		t.Errorf("the other role's policy is %s", p)
	}
	u.clear()
	u.note(use{role: "noisy", action: "sqs:SendMessage", resource: arn + "a"}, verdict{})
	if all := u.list(); len(all) != 1 || all[0].Resource != arn+"a" {
		t.Errorf("after clear: %+v", all)
	}
}
