package replica

// Outcome is what became of a change at one local item. Every outcome is a
// success: the message can be acknowledged.
type Outcome uint8

// The outcomes, in the order of their precedence where several local items
// are concerned: one applied write makes the whole Applied.
const (
	// Skipped: there is no local item and the manifest does not let a change
	// create one, or the copy belongs to another subject by now.
	Skipped Outcome = iota
	// Stale: the local item holds a later version.
	Stale
	// Duplicate: the local item holds this version, written under this mapping.
	Duplicate
	// Applied: the write took place.
	Applied
)

var outcomeNames = [...]string{"skipped", "stale", "duplicate", "applied"}

// String returns the outcome's name as logs and metrics use it.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}
