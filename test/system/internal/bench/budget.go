package bench

import "fmt"

// Verdict is one line of the budget, DESIGN.md section 13, and how it was met.
type Verdict struct {
	Line     string  `json:"line"`
	Measured float64 `json:"measured"`
	Target   float64 `json:"target"`
	// AtLeast says that the measured figure has to reach the target, not to
	// stay within it.
	AtLeast bool   `json:"atLeast,omitempty"`
	Missing bool   `json:"missing,omitempty"` // it was not measured
	Pass    bool   `json:"pass"`
	Note    string `json:"note,omitempty"`
}

// judge holds the medians against the budget.
func (r *Results) judge() []Verdict {
	var out []Verdict
	line := func(text, scene, variant string, target float64, measured func(Median) (float64, bool), note string) {
		v := Verdict{Line: text, Target: target, Note: note}
		m, ok := r.median(scene, variant)
		if ok {
			v.Measured, ok = measured(m)
		}
		v.Missing, v.Pass = !ok, ok && v.Measured <= target
		out = append(out, v)
	}
	plain := func(f func(Median) float64) func(Median) (float64, bool) {
		return func(m Median) (float64, bool) { return f(m), true }
	}
	line("AWS requests per applied change, steady load", SceneSteady, Tributary, 0.40,
		plain(func(m Median) float64 { return m.PerMessage }), "per published message: changes the relay merged count as one")
	line("the same with batching off", SceneSteady, TributarySingle, 1.35,
		plain(func(m Median) float64 { return m.PerMessage }), "per published message")
	line("AWS requests per change, 10 changes of an item within a batch", SceneBurst, Tributary, 0.2,
		plain(func(m Median) float64 { return m.Total }), "")
	line("consumer CPU per applied change, times the bare SDK loop's", SceneSteady, Tributary, 1.25,
		func(m Median) (float64, bool) { to, ok := m.CPUTo[Floor]; return to, ok }, "")
	line("throughput with 10 ms added to every call, times stock's", SceneSlow, Tributary, 100,
		func(m Median) (float64, bool) {
			stock, ok := r.median(SceneSlow, Stock)
			return ratio(m.MessagesPerSecond, stock.MessagesPerSecond), ok
		}, "messages a second: changes the relay merged count as one")
	if v := &out[len(out)-1]; !v.Missing {
		v.Pass = v.Measured >= v.Target
	}
	out[len(out)-1].AtLeast = true
	line("relay's and consumer's own share of the lag, p99 at 500 changes a second, ms", ScenePaced, Tributary, 10,
		plain(func(m Median) float64 { return m.LagP99 }), "the whole lag with nothing added to the calls: an upper bound of their share")
	line("consumer's memory at full load, MiB", SceneSteady, Tributary, 64,
		plain(func(m Median) float64 { return m.Memory }), "peak in RAM")
	return out
}

// String says how the line was met.
func (v Verdict) String() string {
	sign, off := "<=", v.Measured-v.Target
	if v.AtLeast {
		sign, off = ">=", v.Target-v.Measured
	}
	switch {
	case v.Missing:
		return "not measured"
	case v.Pass:
		return fmt.Sprintf("pass: %.3g %s %.3g", v.Measured, sign, v.Target)
	default:
		return fmt.Sprintf("SHORT: %.3g, want %s %.3g (%.3g off)", v.Measured, sign, v.Target, off)
	}
}
