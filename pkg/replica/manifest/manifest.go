// Package manifest reads replication.yaml, the one declaration of what a
// service publishes and what it subscribes to. The service, the operator's
// command line and Terraform read the same file, so that topic, filter policy,
// queue, table and code cannot drift apart.
//
// It promises that a field it does not know, a wrong type or an unsafe
// combination is refused with the file, the line, the reason and the way out,
// every problem at once. It knows the names and rules of AWS but calls nothing.
package manifest

// Manifest is one service's declaration. Get one from Load or Parse; one that
// is built in code needs Complete and Validate. It is not modified afterwards
// and then safe for concurrent use.
type Manifest struct {
	// Service is the service's name: lower case letters, digits and hyphens.
	Service string `yaml:"service"`
	// Tables are the tables the service owns, as bootstrap and Terraform
	// create them.
	Tables []Table `yaml:"tables,omitempty"`
	// Publishes are the contracts the service owns.
	Publishes []Publication `yaml:"publishes,omitempty"`
	// Subscribes are the contracts the service keeps copies of.
	Subscribes []Subscription `yaml:"subscribes,omitempty"`

	file  string         // as given to Load or Parse
	lines map[string]int // where each field stands, by its path
}

// Table is a DynamoDB table the service owns.
type Table struct {
	Name         string       `yaml:"name"`
	PartitionKey KeyAttribute `yaml:"partition_key"`
	SortKey      KeyAttribute `yaml:"sort_key,omitempty"`
	Indexes      []Index      `yaml:"indexes,omitempty"`
	// Stream turns the table's stream on, with new and old images.
	Stream bool `yaml:"stream,omitempty"`
	// TTLAttribute is the attribute that holds an item's expiry in epoch
	// seconds; empty for a table without TTL.
	TTLAttribute string `yaml:"ttl_attribute,omitempty"`
}

// KeyAttribute is an attribute of a key. The zero KeyAttribute is none.
type KeyAttribute struct {
	Name string `yaml:"name"`
	// Type is S, N or B.
	Type string `yaml:"type"`
}

// Index is a global secondary index.
type Index struct {
	Name         string       `yaml:"name"`
	PartitionKey KeyAttribute `yaml:"partition_key"`
	SortKey      KeyAttribute `yaml:"sort_key,omitempty"`
	// Projection is "all" (the default) or "keys_only".
	Projection string `yaml:"projection,omitempty"`
	// Include lists the further attributes an index with partial projection
	// holds; empty otherwise.
	Include []string `yaml:"include,omitempty"`
}

// Publication is a contract the service owns, and where its items are.
type Publication struct {
	// Contract is the contract's id: company.profile/v1.
	Contract string `yaml:"contract"`
	// Topic is the SNS topic's name; by default the contract's id with every
	// character but letters and digits as a hyphen: company-profile-v1.
	Topic string `yaml:"topic,omitempty"`
	// Table holds the items.
	Table string `yaml:"table"`
	// Key says what the key attributes of this contract's items look like, as
	// templates: {cik: "{cik}"} or {pk: "ORGANIZATION-{org}", sk: PROFILE}. An
	// item whose key does not fit is not this contract's.
	Key map[string]Template `yaml:"key"`
	// Subject makes the change's subject from what the key's templates
	// captured; it may be left out where they capture exactly one name.
	Subject Template `yaml:"subject,omitempty"`
	// Match restricts the items further, by attribute.
	Match map[string]Match `yaml:"match,omitempty"`
	// Attributes says which item attribute feeds each contract attribute:
	// {name: name, sector: sector}. A contract attribute not named here is
	// read from the item attribute of its own name.
	Attributes map[string]string `yaml:"attributes,omitempty"`
	// VersionAttribute is the item attribute with the version; "version" by
	// default.
	VersionAttribute string `yaml:"version_attribute,omitempty"`
	// DeadLetterQueue is the relay's; <service>-<topic>-relay-dlq by default.
	DeadLetterQueue string `yaml:"dead_letter_queue,omitempty"`
	// CheckpointTable is where the relay's poller keeps its place;
	// <service>-relay-checkpoints by default. Its partition key is the string
	// attribute "id".
	CheckpointTable string `yaml:"checkpoint_table,omitempty"`

	keyTypes map[string]string // the table's key attributes, where it is declared
}

// Match says what an attribute must be for an item to belong to a contract.
// Exactly one of its fields is set.
type Match struct {
	Prefix string `yaml:"prefix,omitempty"`
	Equals string `yaml:"equals,omitempty"`
	Exists *bool  `yaml:"exists,omitempty"`
}

// Subscription is a contract the service keeps copies of.
type Subscription struct {
	Contract string `yaml:"contract"`
	// Topic is the owner's topic; by default named as in Publication.
	Topic string `yaml:"topic,omitempty"`
	// Attributes are the contract's attributes whose changes reach the
	// service: the SNS filter policy. At most 75.
	Attributes []string  `yaml:"attributes"`
	Queue      Queue     `yaml:"queue,omitempty"`
	Replicas   []Replica `yaml:"replicas,omitempty"`
	// ControlTable is where the consumer notes which canaries came through the
	// subscription's filter; <service>-replication-control by default. A
	// service's subscriptions may share it. Its partition key is the string
	// attribute "id", its TTL attribute "expiresAt".
	ControlTable string `yaml:"control_table,omitempty"`
}

// Queue is the subscription's SQS queue.
type Queue struct {
	// Name is <service>-<topic> by default.
	Name string `yaml:"name,omitempty"`
	// DeadLetterQueue is <name>-dlq by default.
	DeadLetterQueue string `yaml:"dead_letter_queue,omitempty"`
	// VisibilityTimeout is 30 s by default; 1 s to 12 h.
	VisibilityTimeout Duration `yaml:"visibility_timeout,omitempty"`
	// HandlerTimeout ends a handler; it must be below the visibility timeout.
	// By default two thirds of it.
	HandlerTimeout Duration `yaml:"handler_timeout,omitempty"`
	// MaxReceiveCount is how often a message is tried before the dead-letter
	// queue; 10 by default, 1 to 1000. With the subscriber's pauses, ten attempts
	// outlast an outage of some minutes, five only one of 15 s (ADR 0008).
	MaxReceiveCount int `yaml:"max_receive_count,omitempty"`
}

// OnDelete says what a delete does to a copy.
type OnDelete string

// What a delete does.
const (
	// Clear removes the copied attributes and keeps the version.
	Clear OnDelete = "clear"
	// Tombstone marks the item deleted and lets TTL remove it after 60 days;
	// for dedicated replica tables only.
	Tombstone OnDelete = "tombstone"
)

// Replica is one place where copies are kept. With Function set it is the
// service's own code; with Index set it is a fan-out; else an item.
type Replica struct {
	Table string `yaml:"table,omitempty"`
	// Index finds the local items of a subject, for a fan-out.
	Index string `yaml:"index,omitempty"`
	// Function names the service's own code.
	Function string `yaml:"function,omitempty"`
	// Subject takes the change's subject apart, for keys that need its parts;
	// "{subject}" by default.
	Subject Template `yaml:"subject,omitempty"`
	// Key makes the local item's key from the subject: {cik: subject}, or
	// {pk: "ORGANIZATION-{subject}"}. For a fan-out it makes the index's
	// partition key, and is {<partition key>: subject} by default.
	Key map[string]Template `yaml:"key,omitempty"`
	// Set says which contract attribute feeds each local attribute.
	Set map[string]From `yaml:"set,omitempty"`
	// VersionAttribute is the local attribute with the copy's version.
	// Bookkeeping attributes' names derive from it; see Bookkeeping.
	VersionAttribute string   `yaml:"version_attribute,omitempty"`
	OnDelete         OnDelete `yaml:"on_delete,omitempty"`
	// Create says whether a change may create the local item; true by
	// default. A fan-out never creates.
	Create *bool `yaml:"create,omitempty"`
	// Atomic asks for all copies of one subject to be written in one
	// transaction where their number (at most 99) allows.
	Atomic bool `yaml:"atomic,omitempty"`
	// SecondPass is the delay after which a fan-out is repeated for what the
	// index did not show yet; 10 s by default, at most 15 min.
	SecondPass Duration `yaml:"second_pass,omitempty"`

	keyTypes map[string]string // the key attributes Key makes, where the table is declared
}

// From says which contract attribute feeds a local attribute. In YAML it is
// the name alone, or {attribute: name, omit_empty: true}.
type From struct {
	Attribute string `yaml:"attribute"`
	// OmitEmpty leaves the local attribute out where the value is an empty
	// string or binary: DynamoDB refuses those in an index's key.
	OmitEmpty bool `yaml:"omit_empty,omitempty"`
}
