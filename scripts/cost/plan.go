package cost

import (
	"encoding/json"
	"math"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
)

// Deployment is what of infra/ decides about time and cost.
type Deployment struct {
	PostRate         float64 // posts a second of all senders together
	BroadcastSenders int     // maximum concurrency of the broadcast function
	DeliverSenders   int     // and of the deliver function
	MemoryGB         float64 // of each
	TenantShards     int
	ChannelShards    int
}

// DefaultDeployment is what infra/ deploys without variables.
func DefaultDeployment() Deployment {
	return Deployment{PostRate: 8000, BroadcastSenders: 4, DeliverSenders: 6, MemoryGB: 1, TenantShards: 4, ChannelShards: 1}
}

// senderRate is one sender's part of PostRate, as infra/locals.tf has it: that of
// a deliverer if the broadcast is split, else that of the broadcast function.
func (d Deployment) senderRate(split bool) float64 {
	rate := d.PostRate / float64(d.BroadcastSenders+d.DeliverSenders)
	if split {
		rate = d.PostRate * (100 - directPercent) / 100 / float64(d.DeliverSenders)
	}
	return max(1, math.Floor(rate))
}

// directPercent is what the broadcast functions may use of PostRate in the long
// run.
const directPercent = 4

// Broadcast is what is to be sent.
type Broadcast struct {
	Tenant     string
	To         protocol.Audience
	Recipients int  // live connections
	Stale      int  // rows met on the way that stand for no socket any more
	FrameBytes int  // what each recipient gets
	Keyed      bool // it has an idempotencyKey
}

// Plan is what a broadcast takes.
type Plan struct {
	Broadcast
	Posts         int // to @connections: one a recipient
	Messages      int // API Gateway meters, each 32 KB begun
	Units         int // of at most broadcast.UnitSize connections; 1 is not queued
	QueueMessages int // on both queues
	Senders       int // that work on it at a time
	Rate          float64
	Duration      time.Duration // of the posts, at the Rate
	Usage         Usage
}

// What calls take within AWS. They are assumed, not measured: they are a few
// percent of a unit's time, which the rate decides.
const (
	splitTime  = 35 * time.Millisecond // a page: Query, UpdateItem, SendMessage
	recordTime = 15 * time.Millisecond // a unit: GetItem, PutItem
	begunTime  = 30 * time.Millisecond // a broadcast: claims, last Advance
)

// Plan returns what the broadcast takes where nothing fails, and one call of the
// broadcast function gets to the end of the audience: what is tried again costs
// again.
func (d Deployment) Plan(b Broadcast) Plan {
	p := Plan{Broadcast: b, Posts: b.Recipients, Messages: b.Recipients * MessagesOf(b.FrameBytes)}
	p.Units = (b.Recipients + broadcast.UnitSize - 1) / broadcast.UnitSize
	p.QueueMessages, p.Senders = 1, 1
	if p.split() {
		p.QueueMessages += p.Units
		p.Senders = min(p.Units, d.DeliverSenders)
	}
	p.Rate = d.senderRate(p.split()) * float64(p.Senders)
	p.Duration = d.duration(p)

	p.Usage[Messages] = float64(p.Messages)
	p.Usage[QueueRequests] = queueRequests(p)
	p.Usage[ReadUnits] = d.readUnits(p)
	p.Usage[WriteUnits] = writeUnits(p)
	p.Usage[Invocations] = float64(p.QueueMessages)
	p.Usage[GBSeconds] = d.gbSeconds(p)
	return p
}

// split reports whether the deliver function sends: up to one unit the
// broadcast function does it itself.
func (p Plan) split() bool { return p.Units > 1 }

// duration is that of the rounds in which the senders take the units, or of the
// splitting where that is slower.
func (d Deployment) duration(p Plan) time.Duration {
	rounds := math.Ceil(float64(p.Units) / float64(p.Senders))
	largest := min(p.Recipients, broadcast.UnitSize)
	posting := rounds * float64(largest) / d.senderRate(p.split())
	splitting := time.Duration(0)
	if p.split() {
		splitting = time.Duration(p.Units) * splitTime
	}
	return max(seconds(posting), splitting)
}

// gbSeconds: each unit occupies a sender as long as its share of the rate lets
// it, and the broadcast function goes through the pages.
func (d Deployment) gbSeconds(p Plan) float64 {
	work := begunTime + time.Duration(p.Units)*(splitTime+recordTime) + seconds(float64(p.Recipients)/d.senderRate(p.split()))
	return work.Seconds() * d.MemoryGB
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Bytes around what is sent: of a queue message, and of one id in a unit.
const (
	envelopeBytes = 200
	idBytes       = 20
)

func queueRequests(p Plan) float64 {
	n := QueueRequestsOf(p.FrameBytes + envelopeBytes)
	if p.split() {
		n += p.Units * QueueRequestsOf(p.FrameBytes+envelopeBytes+broadcast.UnitSize*idBytes)
	}
	return float64(n)
}

// readUnits: pages of memberships, at least one unit a shard; a list is looked
// up one by one. Each unit is looked up once before it is sent, and so is the
// page behind a full first one.
func (d Deployment) readUnits(p Plan) float64 {
	n := p.Units
	if p.split() {
		n++
	}
	if listed := len(p.To.Connections); listed > 0 {
		return float64(n + listed)
	}
	shards := 1
	switch {
	case p.To.Tenant:
		shards = d.TenantShards
	case p.To.Channel != "":
		shards = d.ChannelShards
	}
	rows, row := p.Recipients+p.Stale, memberBytes(p.Tenant, p.To)
	full, rest := rows/broadcast.UnitSize, rows%broadcast.UnitSize
	n += full*chunks(broadcast.UnitSize*row, readChunk) + shards - 1
	if rest > 0 || full == 0 {
		n += chunks(rest*row, readChunk)
	}
	return float64(n)
}

// memberBytes is the size of a membership's row: its names (24 bytes), a
// connection's id (16), two times (15) and the partition's key.
func memberBytes(tenant string, to protocol.Audience) int {
	partition := len(tenant) + len("/tenant/0")
	switch {
	case to.Channel != "":
		partition = len(tenant) + len("/channel/") + len(to.Channel) + len("/0")
	case to.User != "":
		partition = len(tenant) + len("/user/") + len(to.User)
	}
	return 24 + 16 + 15 + partition
}

// writeUnits: the claim, a move of the cursor for each unit that is queued and
// for the end, each unit's counts. A list of connections stands in the row that
// is moved. A stale row goes with its memberships of tenant and user.
func writeUnits(p Plan) float64 {
	moves := 1
	if p.split() {
		moves += p.Units
	}
	n := (1+moves)*receiptUnits(p.To) + p.Units + 3*p.Stale
	if p.Keyed {
		n++
	}
	return float64(n)
}

func receiptUnits(to protocol.Audience) int {
	text, err := json.Marshal(to)
	if err != nil { // an Audience is strings and a bool
		panic(err)
	}
	return chunks(envelopeBytes+len(text), writeChunk)
}
