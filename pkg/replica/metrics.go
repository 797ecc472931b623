package replica

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what relays and appliers do. Metric names are API. A nil
// *Metrics counts nothing; otherwise it is safe for concurrent use.
type Metrics struct {
	records      *prometheus.CounterVec
	relayLag     *prometheus.HistogramVec
	relayLetters *prometheus.CounterVec
	changes      *prometheus.CounterVec
	failures     *prometheus.CounterVec
	copies       *prometheus.CounterVec
	merged       *prometheus.CounterVec
	lag          *prometheus.HistogramVec
}

// lagBuckets run from 0.1 ms to about 5 days in steps of a quarter, so that a
// quantile read from them is off by a tenth at the most.
var lagBuckets = prometheus.ExponentialBuckets(0.0001, 1.25, 100)

// NewMetrics registers the metrics.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tributary", Name: name, Help: help}, labels)
		registerer.MustRegister(c)
		return c
	}
	lag := func(name, help string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "tributary", Name: name, Help: help, Buckets: lagBuckets}, []string{"contract"})
		registerer.MustRegister(h)
		return h
	}
	return &Metrics{
		records:      counter("relay_records_total", "Stream records by what the relay decided.", "contract", "action"),
		relayLag:     lag("relay_lag_seconds", "Time from a change's version to its publication."),
		relayLetters: counter("relay_dead_letters_total", "Records that could never be published.", "contract"),
		changes:      counter("changes_total", "Changes applied, by outcome and origin.", "contract", "outcome", "origin"),
		failures:     counter("change_failures_total", "Changes that could not be applied at this attempt, by what became of the message.", "contract", "verdict"),
		copies:       counter("fanout_copies_total", "Fan-out copies by outcome.", "contract", "outcome"),
		merged:       counter("writes_superseded_total", "Writes that were not made because one of a higher version to the same item waited beside them.", "table"),
		lag:          lag("apply_lag_seconds", "Time from a live change's version until it was applied."),
	}
}

func (m *Metrics) relayed(contract string, action Action) {
	if m != nil {
		m.records.WithLabelValues(contract, action.String()).Inc()
	}
}

func (m *Metrics) published(contract string, lag time.Duration) {
	if m != nil {
		m.relayLag.WithLabelValues(contract).Observe(lag.Seconds())
	}
}

func (m *Metrics) superseded(table string, writes int) {
	if m != nil && writes > 0 {
		m.merged.WithLabelValues(table).Add(float64(writes))
	}
}

func (m *Metrics) relayDeadLettered(contract string) {
	if m != nil {
		m.relayLetters.WithLabelValues(contract).Inc()
	}
}

func (m *Metrics) applied(contract string, outcome Outcome, origin string) {
	if m != nil {
		m.changes.WithLabelValues(contract, outcome.String(), origin).Inc()
	}
}

func (m *Metrics) lagged(contract string, lag time.Duration) {
	if m != nil {
		m.lag.WithLabelValues(contract).Observe(lag.Seconds())
	}
}

func (m *Metrics) failed(contract string, verdict Verdict) {
	if m != nil {
		m.failures.WithLabelValues(contract, verdict.String()).Inc()
	}
}

func (m *Metrics) copied(contract string, outcome Outcome, n int) {
	if m != nil {
		m.copies.WithLabelValues(contract, outcome.String()).Add(float64(n))
	}
}
