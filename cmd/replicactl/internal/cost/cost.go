// Package cost estimates what requests to AWS cost, for the plans that verbs
// print.
//
// It promises arithmetic by AWS's units: 64 KiB chunks for SNS and SQS, read
// units of 4 KiB and write units of 1 KiB for DynamoDB on demand ("Pricing for
// On-Demand Capacity"), a unit for each GetRecords of DynamoDB Streams
// ("Evaluate your DynamoDB Streams usage"). Functions are pure.
//
// It does not promise a bill. Prices are those of one Region, and free tiers,
// discounts, provisioned capacity, index writes, KMS and data transfer are not
// counted. See Provenance for how far the prices themselves can be trusted.
package cost

import "fmt"

// Region is the Region the prices are of.
const Region = "us-east-1"

// NotedOn is when the prices were written down.
const NotedOn = "2026-11-20"

// Provenance says where the prices come from. It is printed with every
// estimate: AWS's pricing pages fill their tables in by script, and their
// figures were not read there.
const Provenance = "prices are for " + Region + ", noted on " + NotedOn + " and not checked against AWS's pricing pages; other Regions differ"

// Kind is a kind of unit that AWS charges for.
type Kind string

// The kinds.
const (
	SNSPublish   Kind = "SNS publish request"   // per 64 KiB chunk
	SQSRequest   Kind = "SQS request"           // per 64 KiB chunk
	ReadUnit     Kind = "DynamoDB read unit"    // on demand
	WriteUnit    Kind = "DynamoDB write unit"   // on demand
	StreamsReads Kind = "DynamoDB Streams read" // GetRecords
	S3Lists      Kind = "S3 list request"       // Standard storage
	S3Reads      Kind = "S3 get request"        // Standard storage
)

// perMillion are dollars for a million units. SNS and SQS are as third parties
// reported them in June 2026 (SQS also in March), DynamoDB's as reported in July
// 2025, after its reduction of November 2024. That of Streams is remembered, and
// no source that was read confirms it. S3's are those of Standard storage as
// third parties report them.
var perMillion = map[Kind]float64{
	SNSPublish:   0.50,
	SQSRequest:   0.40,
	ReadUnit:     0.125,
	WriteUnit:    0.625,
	StreamsReads: 0.20,
	S3Lists:      5.00,
	S3Reads:      0.40,
}

const (
	chunkBytes     = 64 << 10
	readUnitBytes  = 4 << 10
	writeUnitBytes = 1 << 10
)

// Line is so many requests of one operation, and what AWS charges for them.
type Line struct {
	// Operation is the API's name: PublishBatch.
	Operation string `json:"operation"`
	Requests  int64  `json:"requests"`
	// Kind and Units are what is charged; Units may be a half for an eventually
	// consistent read.
	Kind  Kind    `json:"kind"`
	Units float64 `json:"units"`
	// Dollars is Units at the price of their kind.
	Dollars float64 `json:"dollars"`
}

func line(operation string, requests int64, kind Kind, units float64) Line {
	return Line{Operation: operation, Requests: requests, Kind: kind, Units: units, Dollars: units * perMillion[kind] / 1e6}
}

// Publish is so many messages of an average size, sent ten a PublishBatch as far
// as batchBytes (the topic's limit) allows. A batch is charged by its size.
func Publish(messages, messageBytes, batchBytes int64) Line {
	if messages <= 0 {
		return line("PublishBatch", 0, SNSPublish, 0)
	}
	fit := int64(10)
	if messageBytes > 0 {
		fit = max(1, min(fit, batchBytes/messageBytes))
	}
	whole, rest := messages/fit, messages%fit
	requests, units := whole, whole*chunks(fit*messageBytes)
	if rest > 0 {
		requests, units = requests+1, units+chunks(rest*messageBytes)
	}
	return line("PublishBatch", requests, SNSPublish, float64(units))
}

// Queue is so many requests to SQS that carry so many bytes each, up or down.
func Queue(operation string, requests, bytes int64) Line {
	return line(operation, requests, SQSRequest, float64(requests*chunks(bytes)))
}

// Consume is what a subscriber's queue costs for so many messages of an average
// size, received and deleted ten at a time.
func Consume(messages, messageBytes int64) []Line {
	batches := ceil(messages, 10)
	return []Line{Queue("ReceiveMessage", batches, min(messages, 10)*messageBytes), Queue("DeleteMessageBatch", batches, 0)}
}

// Read is single reads (GetItem, or each item of a BatchGetItem: DynamoDB rounds
// each item up by itself) of items of an average size.
func Read(operation string, requests, items, itemBytes int64, consistent bool) Line {
	return line(operation, requests, ReadUnit, halved(items*ceil(max(1, itemBytes), readUnitBytes), consistent))
}

// Scan is a scan of a whole table, whose pages of 1 MiB are rounded up, not its
// items.
func Scan(tableBytes int64, consistent bool) Line {
	const pageBytes = 1 << 20
	pages := max(1, ceil(tableBytes, pageBytes))
	return line("Scan", pages, ReadUnit, halved(max(pages, ceil(tableBytes, readUnitBytes)), consistent))
}

// Write is single conditional writes of items of an average size; one whose
// condition fails costs the same.
func Write(operation string, items, itemBytes int64) Line {
	return line(operation, items, WriteUnit, float64(items*ceil(max(1, itemBytes), writeUnitBytes)))
}

// Streams is so many GetRecords; DynamoDB Streams charges for nothing else.
func Streams(getRecords int64) Line {
	return line("GetRecords", getRecords, StreamsReads, float64(getRecords))
}

// Objects is so many objects of a bucket listed so many times, a thousand a
// request, and each read as often. Deleting them is free.
func Objects(times, objects int64) []Line {
	lists := times * max(1, ceil(objects, 1000))
	return []Line{line("ListObjectsV2", lists, S3Lists, float64(lists)), line("GetObject", times*objects, S3Reads, float64(times*objects))}
}

// Dollars is what the lines cost together.
func Dollars(lines []Line) float64 {
	sum := 0.0
	for _, l := range lines {
		sum += l.Dollars
	}
	return sum
}

// Text returns an amount as a person reads it. What is not free is never $0.00.
func Text(dollars float64) string {
	switch {
	case dollars == 0:
		return "$0"
	case dollars < 0.01:
		return "under $0.01"
	default:
		return fmt.Sprintf("$%.2f", dollars)
	}
}

// chunks returns what SNS and SQS charge a request of so many bytes as.
func chunks(bytes int64) int64 { return max(1, ceil(bytes, chunkBytes)) }

func halved(units int64, consistent bool) float64 {
	if consistent {
		return float64(units)
	}
	return float64(units) / 2
}

func ceil(n, of int64) int64 { return (max(0, n) + of - 1) / of }
