package bench

import "time"

// Scene is a condition under which variants are measured.
type Scene struct {
	Name    string
	Pattern Pattern
	Latency time.Duration // added to every call
	// Paced publishes so many changes a second while the consumer runs; 0 fills
	// the queue first.
	Paced    int
	variants []string
}

// The scenes' names.
const (
	SceneSteady = "steady"
	SceneSlow   = "steady, 10 ms a call"
	SceneBurst  = "burst"
	ScenePaced  = "500 a second"
)

const (
	addedLatency = 10 * time.Millisecond
	pacedRate    = 500
	// warmUp is what is left out of the lag: new connections, a heap that
	// grows.
	warmUp = time.Second
	// pacedLead is what publisher and consumer get to be ready.
	pacedLead = time.Second
)

// Scenes returns all scenes.
func Scenes() []Scene {
	all := []string{Stock, Stock10, Floor, FloorSingle, Tributary, TributarySingle}
	most := []string{Stock, Stock10, Floor, Tributary, TributarySingle}
	return []Scene{
		{Name: SceneSteady, Pattern: Steady, variants: all},
		{Name: SceneSlow, Pattern: Steady, Latency: addedLatency, variants: most},
		{Name: SceneBurst, Pattern: Burst, variants: []string{Stock, Floor, Tributary}},
		{Name: ScenePaced, Pattern: Steady, Paced: pacedRate, variants: most},
	}
}

// step is the time between the versions of two changes.
func (s Scene) step() time.Duration {
	if s.Paced > 0 {
		return time.Second / time.Duration(s.Paced)
	}
	return time.Microsecond
}
