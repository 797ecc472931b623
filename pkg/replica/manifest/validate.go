package manifest

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Limits of AWS that a manifest has to keep, and where its documentation has
// them.
const (
	maxFilteredAttributes = 75 // 150 combinations with two audiences (SNS, "Filter policy constraints")
	maxIndexes            = 20 // a table (DynamoDB, "Quotas")
	maxIncluded           = 100
	maxReceives           = 1000             // SQS, "SetQueueAttributes"
	maxVisibility         = 12 * time.Hour   // SQS, "Visibility timeout"
	maxDelay              = 15 * time.Minute // SQS, "Delay queues"
	maxAttributeNameBytes = 255              // of a key attribute (DynamoDB, "Naming rules")
)

var (
	serviceName  = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	tableName    = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`) // DynamoDB, "Naming rules"
	queueName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)   // SQS, "CreateQueue"
	topicName    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)  // SNS, "CreateTopic"
	contractID   = regexp.MustCompile(`^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*/v[1-9][0-9]*$`)
	functionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)
)

// Validate returns every problem that the manifest has in itself, joined, or
// nil: names AWS would refuse, references to nothing, and combinations that
// would lose or mix up copies. CheckContracts has what depends on contracts.
func (m *Manifest) Validate() error {
	c := &checker{m: m}
	c.service()
	c.tables()
	c.publishes()
	c.subscribes()
	c.ownership()
	return join(c.problems)
}

// checker collects problems.
type checker struct {
	m        *Manifest
	problems []*Problem
}

func (c *checker) add(rule, path, problem, advice string) {
	if len(c.problems) > MaxProblems {
		return
	}
	c.problems = note(c.problems, &Problem{Rule: rule, File: c.m.file, Line: c.m.line(path), Field: path, Problem: problem, Advice: advice})
}

func (c *checker) service() {
	switch name := c.m.Service; {
	case name == "":
		c.add(ruleServiceName, "service", "the manifest does not name its service", "write service: and the name, like profile")
	case !serviceName.MatchString(name):
		c.add(ruleServiceName, "service", fmt.Sprintf("%q is no service name", name), "use lower case letters, digits and hyphens, beginning with a letter: queues and topics are named after it")
	case name == AudienceAll:
		c.add(ruleServiceName, "service", `"all" is the audience of changes that are for every subscriber`, "name the service otherwise")
	}
	if len(c.m.Publishes) == 0 && len(c.m.Subscribes) == 0 {
		c.add(ruleNothing, "", "the manifest neither publishes nor subscribes to anything", "add publishes: or subscribes:")
	}
}

// name checks a name that AWS gives rules for.
func (c *checker) name(path, name, what string, rule *regexp.Regexp, says string) {
	if strings.HasPrefix(name, "arn:") {
		c.add(ruleCrossAccount, path, fmt.Sprintf("%q is an ARN, and manifests name what is in the service's own account and Region", clip(name)),
			"write the name, the ARN's last part; what crosses accounts needs policies on both sides, which Terraform has to be given")
		return
	}
	if !rule.MatchString(name) {
		c.add(ruleName, path, fmt.Sprintf("%q is no name for a %s", clip(name), what), "use "+says)
	}
}

func (c *checker) tableName(path, name string) {
	c.name(path, name, "table", tableName, "3 to 255 letters, digits, underscores, hyphens and dots")
}

func (c *checker) queueName(path, name string) {
	c.name(path, name, "standard queue", queueName, "1 to 80 letters, digits, underscores and hyphens; order needs no FIFO queue, versions see to it")
}

func (c *checker) topicName(path, name string) {
	c.name(path, name, "standard topic", topicName, "1 to 256 letters, digits, underscores and hyphens; order needs no FIFO topic, versions see to it")
}

func (c *checker) contract(path, id string) {
	c.name(path, id, "contract", contractID, "the contract's id with its major version, like company.profile/v1")
}

func (c *checker) attributeName(path, name string) {
	if name == "" || len(name) > maxAttributeNameBytes {
		c.add(ruleName, path, fmt.Sprintf("%q is no attribute name", clip(name)), fmt.Sprintf("use 1 to %d bytes", maxAttributeNameBytes))
	}
}

// unique adds a problem for each name that was there before.
type unique struct {
	c    *checker
	what string
	seen map[string]string // where a name was first
}

func (c *checker) unique(what string) *unique {
	return &unique{c: c, what: what, seen: map[string]string{}}
}

func (u *unique) add(path, name, advice string) {
	if name == "" {
		return
	}
	if first, again := u.seen[name]; again {
		u.c.add(ruleTwice, path, fmt.Sprintf("the %s %s is already at %s", u.what, clip(name), first), advice)
		return
	}
	u.seen[name] = path
}
