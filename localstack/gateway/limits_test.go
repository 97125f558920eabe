package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"fanfare/localstack/clock"
)

func TestTheAccountsLimitsAreThoseOfAWS(t *testing.T) {
	start := time.Unix(0, 0)
	t.Run("5,000 requests at once, 10,000 a second [WEB:apigateway-execution-service-websocket-limits-table]", func(t *testing.T) {
		a := newAccountLimits(Limits{}, start)
		if n := taken(a.request, start); n != 5000 {
			t.Errorf("%d at once", n)
		}
		if n := taken(a.request, start.Add(100*time.Millisecond)); n != 1000 {
			t.Errorf("%d after a tenth of a second", n)
		}
	})
	t.Run("500 new connections a second [WEB:apigateway-execution-service-websocket-limits-table]", func(t *testing.T) {
		a := newAccountLimits(Limits{}, start)
		for second := range 3 {
			if n := taken(a.connect, start.Add(time.Duration(second)*time.Second)); n != 500 {
				t.Errorf("%d in second %d", n, second)
			}
		}
	})
	t.Run("a connection is a request, too", func(t *testing.T) {
		a := newAccountLimits(Limits{RequestBurst: 3}, start)
		if n := taken(a.connect, start); n != 3 || a.request(start) {
			t.Errorf("%d connections", n)
		}
	})
	t.Run("negative figures are no limit", func(t *testing.T) {
		a := newAccountLimits(Limits{RequestRate: -1, ConnectRate: -1}, start)
		for range 3 * accountBurst {
			if !a.connect(start) {
				t.Fatal("refused")
			}
		}
	})
}

// taken counts how often take succeeds at once.
func taken(take func(time.Time) bool, now time.Time) int {
	n := 0
	for take(now) {
		n++
	}
	return n
}

// All three take from the same bucket of the account, whatever the API
// [DG:websocket-api-protect].
func TestUpgradesMessagesAndCallsShareTheAccountsRate(t *testing.T) {
	cloud := newCloudWith(t, Options{Limits: Limits{RequestRate: 1, RequestBurst: 4}})
	d := cloud.deploy(t, chat)
	other := cloud.deploy(t, chat)
	c := d.dial(t)                       // an upgrade and a message
	must(t, d.post(c.id, "from behind")) // and a call
	c.want("from behind")
	otherSocket, _, err := other.tryDial(t, "", nil)
	must(t, err)

	otherSocket.send("x")
	wantErrorFrame(t, otherSocket, "Too Many Requests", other.connected(t))
	_, response, _ := d.tryDial(t, "", nil)
	if response == nil || response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("an upgrade got %v", response)
	}
	err = d.post(c.id, "no")
	if _, ok := errors.AsType[*types.LimitExceededException](err); !ok {
		t.Errorf("a call got %v, want LimitExceededException", err)
	}
	d.clock.Advance(time.Second)
	must(t, d.post(c.id, "again"))
	c.want("again")
}

// connected returns the id in the last $connect event of the cloud.
func (c *cloud) connected(t *testing.T) string {
	t.Helper()
	return c.event(t, "connect").RequestContext.ConnectionID
}

func TestNewConnectionsOverTheAccountsRateAre429(t *testing.T) {
	d := newCloudWith(t, Options{Limits: Limits{ConnectRate: 1}}).deploy(t, chat)
	for i, want := range []int{101, 429} {
		if _, response, _ := d.tryDial(t, "", nil); response.StatusCode != want {
			t.Errorf("connection %d got %d, want %d", i, response.StatusCode, want)
		}
	}
	d.clock.Advance(time.Second)
	if _, response, _ := d.tryDial(t, "", nil); response.StatusCode != 101 {
		t.Errorf("a second later: %d", response.StatusCode)
	}
}

func TestTheAccountShowsItsLimits(t *testing.T) {
	c := newCloudWith(t, Options{Limits: Limits{RequestRate: 2500, RequestBurst: 1250}})
	if _, body := c.raw(t, "GET", "/account", ""); !strings.Contains(body, `"throttleSettings":{"burstLimit":1250,"rateLimit":2500}`) {
		t.Error(body)
	}
}

// [DG:limits]: 4096 bytes of URL.
func TestAURLMayHave4096Bytes(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	path := strings.TrimPrefix(d.endpoint(), d.url) + "?q="
	full := strings.Repeat("a", maxURL-len(path))
	if _, response, err := d.tryDial(t, "?q="+full, nil); err != nil {
		t.Errorf("4096 bytes: %v, %v", response, err)
	}
	if _, response, _ := d.tryDial(t, "?q="+full+"a", nil); response == nil || response.StatusCode != http.StatusRequestURITooLong {
		t.Errorf("4097 bytes: %v", response)
	}
}

// The words are those seen for authorizers [ISS:sst#4522].
func TestResourcesHaveQuotas(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	for range maxStages - 1 {
		d.release(t, &sdk.CreateStageInput{StageName: ptr(newID(8))})
	}
	_, err := d.CreateStage(context.Background(), &sdk.CreateStageInput{ApiId: &d.id, StageName: ptr("more")})
	wantFault(t, err, "ConflictException", 429, "Maximum number of Stages for this API has been reached. Please contact AWS if you need additional Stages.")

	target := d.integrate(t, "f", 29000)
	for i := len(chat); i < maxRoutes; i++ {
		d.route(t, newID(8), target, false)
	}
	_, err = d.CreateRoute(context.Background(), &sdk.CreateRouteInput{ApiId: &d.id, RouteKey: ptr("more")})
	wantFault(t, err, "ConflictException", 429, "Maximum number of Routes for this API")
}

func TestAllSlowClientsTogetherAreBounded(t *testing.T) {
	m := &memory{}
	message := make([]byte, maxMessage)
	now := clock.New()
	newSlow := func() *socket { return &socket{admitted: true, clock: now, memory: m} }
	var slow []*socket
	for !m.full() {
		k := newSlow()
		slow = append(slow, k)
		for k.send(message) == nil {
			continue
		}
	}
	if err := slow[0].send(nil); !errors.Is(err, errBufferFull) {
		t.Errorf("one of those for whom something waits got %v", err)
	}
	reader := newSlow()
	if err := reader.send(message); err != nil {
		t.Errorf("one for whom nothing waits got %v", err)
	}
	if err := reader.send(message); !errors.Is(err, errBufferFull) {
		t.Errorf("and then %v", err)
	}
	for _, k := range append(slow, reader) {
		k.ended(errClosed)
	}
	if used := m.used.Load(); used != 0 {
		t.Errorf("%d bytes are still counted when all have gone", used)
	}
}
