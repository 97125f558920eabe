package dynamodb

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/localstack/clock"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func epochIn(cl *clock.Clock, d time.Duration) types.AttributeValue {
	return N(strconv.FormatInt(cl.Now().Add(d).Unix(), 10))
}

func enableTTL(t testing.TB, c *sdk.Client, table string) {
	t.Helper()
	_, err := c.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{
		TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTimeToLive: what is left of each row, one hour and then two hours on.
func TestTimeToLive(t *testing.T) {
	tests := []struct {
		name       string
		expiresAt  func(*clock.Clock) types.AttributeValue
		then       []time.Duration // advances, one after the other
		wantStored bool
	}{
		{"before its time", func(c *clock.Clock) types.AttributeValue { return epochIn(c, time.Hour) }, []time.Duration{59 * time.Minute}, true},
		{"expired, but not deleted yet", func(c *clock.Clock) types.AttributeValue { return epochIn(c, time.Hour) }, []time.Duration{time.Hour + 30*time.Second}, true},
		{"expired and deleted", func(c *clock.Clock) types.AttributeValue { return epochIn(c, time.Hour) }, []time.Duration{time.Hour + time.Minute}, false},
		{"in two steps", func(c *clock.Clock) types.AttributeValue { return epochIn(c, time.Hour) }, []time.Duration{time.Hour, time.Minute}, false},
		{"written already expired", func(c *clock.Clock) types.AttributeValue { return epochIn(c, -time.Hour) }, []time.Duration{time.Second}, false},
		{"over five years ago", func(c *clock.Clock) types.AttributeValue { return epochIn(c, -6*365*24*time.Hour) }, []time.Duration{time.Hour}, true},
		{"in milliseconds by mistake", func(c *clock.Clock) types.AttributeValue { return N("1732000000000") }, []time.Duration{time.Hour}, true},
		{"far beyond any time", func(c *clock.Clock) types.AttributeValue { return N("9223372036854775807") }, []time.Duration{time.Hour}, true},
		{"not a number", func(c *clock.Clock) types.AttributeValue { return S("1732000000") }, []time.Duration{time.Hour}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cl := clock.New()
				c, _ := newDirectClient(t, Options{Clock: cl})
				createTable(t, c, "things", "pk:S")
				enableTTL(t, c, "things")
				put(t, c, "things", attrs{"pk": S("a"), "expiresAt": tt.expiresAt(cl)})
				for _, d := range tt.then {
					cl.Advance(d)
					synctest.Wait()
				}
				if it := get1(t, c, "things", attrs{"pk": S("a")}); (it != nil) != tt.wantStored {
					t.Errorf("stored = %v, want %v", it != nil, tt.wantStored)
				}
			})
		})
	}
}

func TestRenewingAnItemPutsItsExpiryOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl := clock.New()
		c, _ := newDirectClient(t, Options{Clock: cl})
		createTable(t, c, "things", "pk:S")
		put(t, c, "things", attrs{"pk": S("renewed"), "expiresAt": epochIn(cl, time.Hour)})
		put(t, c, "things", attrs{"pk": S("left alone"), "expiresAt": epochIn(cl, time.Hour)})
		enableTTL(t, c, "things") // finds items that are there already
		put(t, c, "things", attrs{"pk": S("renewed"), "expiresAt": epochIn(cl, 3*time.Hour)})
		stored := func() (found string) {
			for _, pk := range []string{"renewed", "left alone"} {
				if get1(t, c, "things", attrs{"pk": S(pk)}) != nil {
					found += pk + ";"
				}
			}
			return found
		}
		cl.Advance(2 * time.Hour)
		synctest.Wait()
		if got := stored(); got != "renewed;" {
			t.Errorf("after two hours: %s", got)
		}
		cl.Advance(2 * time.Hour)
		synctest.Wait()
		if got := stored(); got != "" {
			t.Errorf("after four hours: %s", got)
		}
	})
}

func TestCloseStopsTheSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl := clock.New()
		c, s := newDirectClient(t, Options{Clock: cl})
		createTable(t, c, "things", "pk:S")
		enableTTL(t, c, "things")
		put(t, c, "things", attrs{"pk": S("a"), "expiresAt": epochIn(cl, time.Hour)})
		s.Close()
		put(t, c, "things", attrs{"pk": S("b"), "expiresAt": epochIn(cl, time.Minute)})
		cl.Advance(2 * time.Hour)
		synctest.Wait()
		for _, pk := range []string{"a", "b"} {
			if get1(t, c, "things", attrs{"pk": S(pk)}) == nil {
				t.Errorf("%s was deleted after Close", pk)
			}
		}
	})
}
