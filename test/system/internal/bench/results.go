package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// Results are everything that was measured.
type Results struct {
	Date     string    `json:"date"` // the day, UTC
	Go       string    `json:"go"`
	Machine  Machine   `json:"machine"`
	Workload Described `json:"workload"`
	Settings Settings  `json:"settings"`
	Medians  []Median  `json:"medians"`
	Budget   []Verdict `json:"budget"`
	Runs     []Run     `json:"runs"`
}

// Machine is where it was measured.
type Machine struct {
	CPU  string `json:"cpu"`
	CPUs int    `json:"cpus"`
	OS   string `json:"os"`
	Arch string `json:"arch"`
}

// Described says what the work was.
type Described struct {
	Changes        int     `json:"changes"`
	Items          int     `json:"items"`
	Seed           uint64  `json:"seed"`
	Zipf           float64 `json:"zipfExponent"`
	Burst          int     `json:"changesPerBurst"`
	SlowChanges    int     `json:"changesOfStock"`
	SlowestChanges int     `json:"changesOfStockAt10ms"`
	PacedChanges   int     `json:"changesOfLag"`
}

// Median is the median of a variant's runs in a scene.
type Median struct {
	Scene   string `json:"scene"`
	Variant string `json:"variant"`
	Runs    int    `json:"runs"`
	Changes int    `json:"changes"`
	Figures
	// Ratios to other variants by their names, in the same scene.
	CPUTo        map[string]float64 `json:"consumerCPUTo,omitempty"`
	RequestsTo   map[string]float64 `json:"requestsPerChangeTo,omitempty"`
	ThroughputTo map[string]float64 `json:"changesPerSecondTo,omitempty"`
}

func newResults(o Options, now time.Time) *Results {
	return &Results{
		Date: now.UTC().Format(time.DateOnly), Go: runtime.Version(),
		Machine: Machine{CPU: cpuModel(), CPUs: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH},
		Workload: Described{
			Changes: o.Changes, Items: o.Items, Seed: o.Seed, Zipf: zipfExponent, Burst: burstChanges,
			SlowChanges: o.SlowChanges, SlowestChanges: o.SlowestChanges, PacedChanges: o.PacedChanges,
		},
		Settings: o.Settings,
	}
}

// cpuModel is the processor's name where the system tells it.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// conclude takes medians and ratios of the runs, and judges the budget.
func (r *Results) conclude() {
	r.Medians, r.Budget = nil, nil
	for _, scene := range Scenes() {
		for _, v := range Variants() {
			var runs []Figures
			changes := 0
			for _, run := range r.Runs {
				if run.Scene == scene.Name && run.Variant == v.Name {
					runs, changes = append(runs, run.Figures), run.Changes
				}
			}
			if len(runs) > 0 {
				r.Medians = append(r.Medians, Median{Scene: scene.Name, Variant: v.Name, Runs: len(runs), Changes: changes, Figures: medians(runs)})
			}
		}
	}
	for i := range r.Medians {
		m := &r.Medians[i]
		for _, other := range []string{Stock, Stock10, Floor} {
			o, ok := r.median(m.Scene, other)
			if !ok || other == m.Variant {
				continue
			}
			put(&m.CPUTo, other, ratio(m.ConsumerCPU, o.ConsumerCPU))
			put(&m.RequestsTo, other, ratio(m.Total, o.Total))
			put(&m.ThroughputTo, other, ratio(m.ChangesPerSecond, o.ChangesPerSecond))
		}
	}
	r.Budget = r.judge()
}

func put(to *map[string]float64, name string, value float64) {
	if *to == nil {
		*to = map[string]float64{}
	}
	(*to)[name] = value
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// median returns a variant's medians in a scene.
func (r *Results) median(scene, variant string) (Median, bool) {
	for _, m := range r.Medians {
		if m.Scene == scene && m.Variant == variant {
			return m, true
		}
	}
	return Median{}, false
}

// write keeps the results in a file, replacing it whole.
func (r *Results) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write results %s: %w", file, err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

// ReadResults reads what write wrote.
func ReadResults(file string) (*Results, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	var r Results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read results %s: %w", file, err)
	}
	return &r, nil
}
