package dynamodb

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// tokenLife is how long a client token makes a transaction idempotent
// ("TransactWriteItems").
const tokenLife = 10 * time.Minute

// tokens remembers the client tokens of transactions. Its zero value is
// empty.
type tokens struct {
	mu   sync.Mutex
	seen map[string]*token
}

// token is one client token's transaction.
type token struct {
	request [sha256.Size]byte
	at      time.Time
	done    bool
	// reads is what reading the items costs, by table: what a repetition is
	// said to consume.
	reads map[string]writeCost
}

// begin notes that a transaction starts. It returns the finished transaction
// that the token already stands for, or nil.
func (k *tokens) begin(name string, items []transactWriteItem, now time.Time) (*token, error) {
	// The SDK writes maps in any order; encoding the decoded items again gives
	// equal requests equal bytes.
	canonical, err := json.Marshal(items)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(canonical)
	k.mu.Lock()
	defer k.mu.Unlock()
	for other, t := range k.seen {
		if t.done && now.Sub(t.at) > tokenLife {
			delete(k.seen, other)
		}
	}
	t := k.seen[name]
	switch {
	case t == nil:
		if k.seen == nil {
			k.seen = make(map[string]*token)
		}
		k.seen[name] = &token{request: sum, at: now}
		return nil, nil
	case t.request != sum:
		return nil, wire.Errorf("IdempotentParameterMismatchException", "The request uses the same client token as a previous, but non-identical request. Do not reuse a client token with different requests, unless the requests are identical")
	case !t.done:
		return nil, wire.Errorf("TransactionInProgressException", "The transaction with the given request token is already in progress.")
	}
	return t, nil
}

// end notes how a transaction ended. One that failed may be tried again with
// the same token.
func (k *tokens) end(name string, reads map[string]writeCost, ok bool, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.seen[name]
	if !ok {
		delete(k.seen, name)
		return
	}
	t.done, t.at, t.reads = true, now, reads
}
