package manifest

import "slices"

// Rule is one thing that manifests are checked for.
type Rule struct {
	// ID names the rule in findings: handler-timeout. It does not change.
	ID string
	// Says is the rule itself.
	Says string
	// Why says what goes wrong where it is broken.
	Why string
}

// Rules returns every rule that manifests are checked for, in the order in
// which they are looked at.
func Rules() []Rule { return slices.Clone(rules) }

// RuleOf returns the rule of that ID.
func RuleOf(id string) (Rule, bool) {
	for _, r := range rules {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// The rules' IDs.
const (
	ruleYAML             = "yaml"
	ruleSize             = "size"
	ruleAlias            = "alias"
	ruleNoValue          = "no-value"
	ruleWrongType        = "wrong-type"
	ruleBareWord         = "bare-word"
	ruleTemplate         = "template"
	ruleUnknownField     = "unknown-field"
	ruleFieldTwice       = "field-twice"
	ruleServiceName      = "service-name"
	ruleNothing          = "nothing-declared"
	ruleName             = "name"
	ruleCrossAccount     = "cross-account"
	ruleTwice            = "twice"
	ruleTableKey         = "table-key"
	ruleTableLimits      = "table-limits"
	ruleProjection       = "projection"
	ruleTTLNumber        = "ttl-number"
	ruleUnknownTable     = "unknown-table"
	ruleKeyTemplate      = "key-template"
	ruleStreamOff        = "stream-off"
	ruleSourceTTL        = "source-ttl"
	ruleCheckpointTable  = "checkpoint-table"
	ruleControlTable     = "control-table"
	ruleSubject          = "subject"
	ruleMatch            = "match"
	ruleBookkeeping      = "bookkeeping"
	ruleVersionAttribute = "version-attribute"
	ruleNoReplica        = "no-replica"
	ruleNoAttribute      = "no-attribute"
	ruleFilterSize       = "filter-size"
	ruleQueueLimits      = "queue-limits"
	ruleHandlerTimeout   = "handler-timeout"
	ruleFunctionFields   = "function-fields"
	ruleLocalKey         = "local-key"
	ruleEmptyMapping     = "empty-mapping"
	ruleNotSubscribed    = "not-subscribed"
	ruleKeyWritten       = "key-written"
	ruleEmptyIndexKey    = "empty-index-key"
	ruleCopiedTTL        = "copied-ttl"
	ruleFanOutIndex      = "fan-out-index"
	ruleFanOutAlone      = "fan-out-alone"
	ruleFanOutCreate     = "fan-out-create"
	ruleSecondPass       = "second-pass"
	ruleAtomic           = "atomic"
	ruleOnDelete         = "on-delete"
	ruleTombstoneOwnItem = "tombstone-own-item"
	ruleTombstoneTTL     = "tombstone-ttl"
	ruleTwoMasters       = "two-masters"
	ruleUnknownContract  = "unknown-contract"
	ruleUnknownAttribute = "unknown-attribute"
	ruleKeyType          = "key-type"
	ruleOmitEmpty        = "omit-empty"
	ruleExpiringVersion  = "expiring-version"
	ruleOneOwner         = "one-owner"
	ruleUnpublished      = "unpublished"
	ruleTopicMismatch    = "topic-mismatch"
)

var rules = []Rule{
	{ruleYAML, "a manifest is one YAML document", "nothing else in the file can be checked, and Terraform would read something else than the service"},
	{ruleSize, "a manifest stays within the limits of what is read", "checks that compare entries with each other would not end"},
	{ruleAlias, "values are written out, without anchors and aliases", "what a field is can no longer be read where it stands"},
	{ruleNoValue, "a field that is named has a value", "an empty field and one that is left out do not mean the same to every reader"},
	{ruleWrongType, "a value is of the field's type", "a guess (the text 30 as seconds) would differ between the service and Terraform"},
	{ruleBareWord, "a text that older YAML takes for a truth value is in quotes", "Terraform reads a bare N as false where the service reads the letter, and would build something else than the service expects"},
	{ruleTemplate, "a template can be read", "keys and subjects that are made of it would be others than was meant"},
	{ruleUnknownField, "every field is known", "a misspelled field would be ignored, and its default be in force"},
	{ruleFieldTwice, "a field stands once", "which of the two is in force depends on the reader"},
	{ruleServiceName, "the service has a name that its queues and its audience can have", "a backfill for the service would reach nobody, or everybody"},
	{ruleNothing, "a manifest publishes or subscribes to something", "the service would replicate nothing, without a sign of it"},
	{ruleName, "names are as AWS takes them", "the resource could not be created"},
	{ruleCrossAccount, "resources are named, not addressed by their ARN", "an ARN ties the manifest to one account and Region; in another account, policies of both sides are needed that nothing here makes"},
	{ruleTwice, "what has one name is declared once in a manifest", "two declarations of one thing overwrite each other"},
	{ruleTableKey, "a table's and an index's keys are whole and of one type", "DynamoDB refuses the table"},
	{ruleTableLimits, "a table keeps to DynamoDB's limits", "DynamoDB refuses the table"},
	{ruleProjection, "an index's projection says one thing", "the index would hold other attributes than was meant, and fan-outs would read what is not there"},
	{ruleTTLNumber, "the TTL attribute can be a number", "nothing would ever expire"},
	{ruleUnknownTable, "a service reads and writes its own tables alone", "two services would write one table, and neither could promise anything about it"},
	{ruleKeyTemplate, "templates make a table's whole key, of its types", "items would be looked for under keys that they never have"},
	{ruleStreamOff, "a source table has its stream on", "no change would ever be published"},
	{ruleSourceTTL, "a source table expires its tombstones", "tombstones would stay for ever, and deleted items pile up"},
	{ruleCheckpointTable, "a relay's checkpoints have a table of the right key, apart from the source", "the relay would lose its place, or publish its own checkpoints"},
	{ruleControlTable, "canaries have a table of their own, of the right key and TTL", "a backfill would wait for a canary that nobody noted, or canaries be taken for copies"},
	{ruleSubject, "key and subject can be made from each other", "two items would have one subject and overwrite each other's copies"},
	{ruleMatch, "a match is one condition on an attribute of the service's own", "items would come and go from the contract with every write"},
	{ruleBookkeeping, "bookkeeping attributes are neither shared nor copied to", "a version or a tombstone's mark would be overwritten, and stale changes win"},
	{ruleVersionAttribute, "a version has an attribute of its own that is no key", "without a version, a late older change overwrites a newer one"},
	{ruleNoReplica, "a subscription keeps a copy somewhere", "every change would be received, paid for and dropped"},
	{ruleNoAttribute, "a subscription names attributes", "its filter policy would let nothing through"},
	{ruleFilterSize, "a subscription names at most 75 attributes", "with two audiences that is SNS's limit of 150 combinations, and SNS refuses the filter policy"},
	{ruleQueueLimits, "a queue's settings are within SQS's limits", "SQS refuses the queue"},
	{ruleHandlerTimeout, "a handler ends before the visibility timeout does", "SQS hands the message to a second consumer while the first one still works on it"},
	{ruleFunctionFields, "a function replica has no field but its function", "what the other fields say would be done by nobody"},
	{ruleLocalKey, "each subject has a local key of its own", "two subjects' copies would overwrite each other"},
	{ruleEmptyMapping, "a replica says what it copies from where", "its items would hold a version and nothing else"},
	{ruleNotSubscribed, "what is copied is subscribed to", "changes to it would be filtered out, and the copy be silently stale"},
	{ruleKeyWritten, "a copy is not written to a key attribute", "DynamoDB refuses every write of the item"},
	{ruleEmptyIndexKey, "a copy that is an index's key leaves empty values out", "DynamoDB refuses the whole write where the owner's value is an empty string, and the change ends in the dead-letter queue"},
	{ruleCopiedTTL, "a copy is not written to the table's TTL attribute", "a copied value would delete the item"},
	{ruleFanOutIndex, "a fan-out has an index that finds the subject's items", "no copy would ever be found"},
	{ruleFanOutAlone, "a fan-out stands beside an item replica that holds all it copies", "new local items could not take their copy from anywhere, and a crash half-way would never heal"},
	{ruleFanOutCreate, "a fan-out does not create items", "it writes what its index finds, so the field would promise what is not done"},
	{ruleSecondPass, "a second pass is a fan-out's, within SQS's delays", "SQS refuses the delay, or nothing is repeated"},
	{ruleAtomic, "atomic is a fan-out's", "an item is always written as a whole, so the field would promise nothing"},
	{ruleOnDelete, "a delete clears or leaves a tombstone", "what a delete does would be left to chance"},
	{ruleTombstoneOwnItem, "tombstones are for tables that hold nothing but copies", "TTL removes a tombstone, and with it the service's own item"},
	{ruleTombstoneTTL, "a table with tombstones expires them", "tombstones would stay for ever"},
	{ruleTwoMasters, "an attribute of an item is written by one replica", "two contracts' versions cannot both guard it: each would overwrite the other"},
	{ruleUnknownContract, "contracts exist", "there is nothing to check, encode or decode changes by"},
	{ruleUnknownAttribute, "attributes are the contract's", "they would never arrive"},
	{ruleKeyType, "an attribute that feeds a key is of the key's type", "DynamoDB refuses the whole write"},
	{ruleOmitEmpty, "omit_empty is for strings and binaries", "other values are never empty, so the field would promise nothing"},
	{ruleExpiringVersion, "a table whose items expire does not keep the only version of a copy that changes may create", "TTL removes the version with the item, and a late older change, a redrive or a replay creates it again with what is no longer true"},
	{ruleOneOwner, "a service, table, topic, queue or contract has one owner among all manifests", "two owners overwrite each other's settings, two publishers' versions are not comparable, and two consumers of one queue each see half of the messages"},
	{ruleUnpublished, "a contract that is subscribed to is published", "the subscription would wait for ever at a topic that nobody publishes to"},
	{ruleTopicMismatch, "owner and subscriber name the same topic", "the subscriber would listen where the contract is not published, without any error"},
}
