// Package cost is what broadcasts cost on AWS: the list prices, with source and
// date, and the arithmetic from an audience to what the services meter. The
// scripts that tell costs beforehand share it, so that they tell the same.
//
//	plan := cost.DefaultDeployment().Plan(cost.Broadcast{
//		Tenant: "acme", To: protocol.Audience{Tenant: true}, Recipients: 1_000_000, FrameBytes: 200,
//	})
//	fmt.Println(plan.Duration, plan.Usage.Dollars())
//
// It is an estimate: us-east-1, without free tiers, volume discounts, data
// transfer, logs, and what is paid whether or not anything is sent (polls of
// empty queues, stored rows). AWS's bill is what counts.
package cost

// A Meter is something that AWS counts and charges for.
type Meter int

// The meters. A Usage has a number for each.
const (
	Messages          Meter = iota // API Gateway: frames either way, @connections included, each 32 KB begun
	ConnectionMinutes              // API Gateway: of open sockets
	Invocations                    // Lambda
	GBSeconds                      // Lambda, arm64
	ReadUnits                      // DynamoDB on demand: 4 KB read strongly consistent, half of it otherwise
	WriteUnits                     // DynamoDB on demand: 1 KB written
	QueueRequests                  // SQS standard, with a MessageGroupId: each 64 KB begun of a call
	meters
)

// A Price is what one unit of a meter costs.
type Price struct {
	What    string  // as the bill calls it
	Dollars float64 // a million units
	Source  string
	Date    string // of the source
}

// prices are list prices in us-east-1. The first tier's: a month of over a
// billion WebSocket messages is cheaper.
var prices = [meters]Price{
	Messages:          {"API Gateway messages", 1.00, "amnic.com, aws-api-gateway-pricing; awsforengineers", "19 May 2025"},
	ConnectionMinutes: {"API Gateway connection minutes", 0.25, "amnic.com, aws-api-gateway-pricing; awsforengineers", "19 May 2025"},
	Invocations:       {"Lambda requests", 0.20, "cloudchipr", "2025"},
	GBSeconds:         {"Lambda GB-seconds, arm64", 13.3334, "cloudchipr", "2025"},
	ReadUnits:         {"DynamoDB read units", 0.125, "airbyte.com, dynamodb-pricing", "July 2025"},
	WriteUnits:        {"DynamoDB write units", 0.625, "airbyte.com, dynamodb-pricing", "July 2025"},
	// 0.40, and 0.10 more for fair queues, taken for every call: whether those
	// without a group of their own are exempt is not verified.
	QueueRequests: {"SQS requests, fair queues", 0.50, "cloudburn.io, amazon-sqs-pricing", "14 March 2026"},
}

// Price returns the meter's price.
func (m Meter) Price() Price { return prices[m] }

// Usage is how much of each meter was used.
type Usage [meters]float64

// Plus returns the sum of both.
func (u Usage) Plus(v Usage) Usage {
	for m, n := range v {
		u[m] += n
	}
	return u
}

// Times returns n times the usage.
func (u Usage) Times(n float64) Usage {
	for m := range u {
		u[m] *= n
	}
	return u
}

// DollarsOf returns what one meter's share costs.
func (u Usage) DollarsOf(m Meter) float64 { return u[m] * prices[m].Dollars / 1e6 }

// Dollars returns what all of it costs.
func (u Usage) Dollars() (sum float64) {
	for m := range meters {
		sum += u.DollarsOf(m)
	}
	return sum
}

// Meters returns those that were used, in the bill's order.
func (u Usage) Meters() []Meter {
	var used []Meter
	for m := range meters {
		if u[m] != 0 {
			used = append(used, m)
		}
	}
	return used
}

// Chunk sizes by which AWS meters, in bytes.
const (
	messageChunk = 32 << 10
	queueChunk   = 64 << 10
	readChunk    = 4 << 10
	writeChunk   = 1 << 10
)

// MessagesOf returns how many messages API Gateway meters for one frame.
func MessagesOf(frameBytes int) int { return chunks(frameBytes, messageChunk) }

// QueueRequestsOf returns what SQS meters for one message of a queue behind a
// Lambda that takes one at a time: it is sent, received and deleted.
func QueueRequestsOf(bodyBytes int) int { return 2*chunks(bodyBytes, queueChunk) + 1 }

// chunks returns how many chunks are begun; nothing counts as one.
func chunks(bytes, size int) int { return max(1, (bytes+size-1)/size) }
