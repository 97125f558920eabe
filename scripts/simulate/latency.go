package main

import (
	"math"
	"math/rand/v2"
	"time"
)

// latency is what a call takes: log-normal, by its median and 99th percentile.
type latency struct {
	what     string
	p50, p99 time.Duration
	source   string
}

const z99 = 2.3263 // of the normal distribution

// sample draws one.
func (l latency) sample(r *rand.Rand) time.Duration {
	if l.p99 <= l.p50 {
		return l.p50
	}
	sigma := math.Log(float64(l.p99)/float64(l.p50)) / z99
	return time.Duration(float64(l.p50) * math.Exp(sigma*r.NormFloat64()))
}

// latencies are those of a cloud.
type latencies struct {
	post   latency // @connections
	query  latency // a page of 500 memberships
	get    latency // GetItem
	write  latency // PutItem, UpdateItem
	send   latency // SendMessage, until it returns
	arrive latency // from then on until a free poller's function is called
	remove latency // DeleteMessage, ChangeMessageVisibility
	start  latency // of a new environment
}

// all returns them in the order of a broadcast's way.
func (l latencies) all() []latency {
	return []latency{l.arrive, l.start, l.query, l.get, l.write, l.send, l.post, l.remove}
}

const (
	assumed       = "assumed: AWS promises single-digit milliseconds"
	assumedQueue  = "assumed"
	assumedPost   = "assumed: no published measurement was found"
	messagingTest = "measured in eu-west-1: bitesizedserverless.com, Serverless Messaging: Latency Compared, September 2022"
	coldStartTest = "measured with Go: tecracer.com, custom runtime on Amazon Linux 2, July 2023"
)

// aws are the latencies within AWS. What has no source is chosen on the slow
// side.
func aws() latencies {
	const ms = time.Millisecond
	return latencies{
		arrive: latency{"SQS to a warm function", 16 * ms, 105 * ms, messagingTest},
		start:  latency{"a new environment", 167 * ms, 400 * ms, coldStartTest},
		query:  latency{"Query of a page", 12 * ms, 40 * ms, assumed},
		get:    latency{"GetItem", 5 * ms, 15 * ms, assumed},
		write:  latency{"UpdateItem, PutItem", 8 * ms, 25 * ms, assumed},
		send:   latency{"SendMessage", 12 * ms, 50 * ms, assumedQueue},
		remove: latency{"DeleteMessage, ChangeMessageVisibility", 10 * ms, 40 * ms, assumedQueue},
		post:   latency{"post to @connections", 20 * ms, 100 * ms, assumedPost},
	}
}
