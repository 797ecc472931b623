package localaws

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"
)

// randomness gives ids and shuffles. With a seed it repeats itself exactly for
// the same sequence of requests.
type randomness struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func newRandomness(seed uint64) *randomness {
	var key [32]byte
	if seed == 0 {
		for i := 0; i < len(key); i += 8 {
			binary.LittleEndian.PutUint64(key[i:], rand.Uint64())
		}
	} else {
		binary.LittleEndian.PutUint64(key[:], seed)
	}
	return &randomness{source: rand.NewChaCha8(key)}
}

// newID returns a UUID.
func (r *randomness) newID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, err := uuid.NewRandomFromReader(r.source)
	if err != nil {
		panic(err) // ChaCha8 never returns an error
	}
	return id.String()
}

// next returns a random number.
func (r *randomness) next() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Uint64()
}
