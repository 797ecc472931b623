package replica_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// largest is an item that DynamoDB takes, and not one byte more.
func largest(cik string) contracts.Item {
	const most = 400 << 10 // Quotas in Amazon DynamoDB: item size
	item := named(cik, "Name")
	size := 0
	for name, v := range item {
		size += len(name) + len(v.Text())
	}
	noise := make([]byte, most-size-len("noise"))
	_, _ = rand.Read(noise) // never fails
	item["noise"] = contracts.Binary(noise)
	return item
}

// An item with no room for a version can never be stamped. It must not hold up
// the shard until the stream forgets what came after it.
func TestAnItemWithoutRoomForAVersionIsDeadLettered(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(largest("9"))
		w.own("1", time.Now(), named("1", "Neighbour"))
		w.relayFor(time.Minute)
		w.agree("name", "1")
		if len(w.dlq.kept) != 1 || w.dlq.kept[0].Reason != "refused by DynamoDB" || !strings.Contains(w.dlq.kept[0].Detail, "stamp company.profile/v1 9: ") {
			w.t.Errorf("dead letters: %+v", reasons(w.dlq.kept))
		}
	})
}

func reasons(kept []replica.DeadLetter) []string {
	var out []string
	for _, l := range kept {
		out = append(out, l.Reason+": "+l.Detail)
	}
	return out
}
