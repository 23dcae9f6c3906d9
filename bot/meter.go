package bot

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"primum/bot/judge"
	"primum/bot/publish"
	"primum/bot/store"
	"primum/bot/watch"
	"primum/forges"
)

// Meter counts what the service does. One Meter belongs to one service; its
// methods are safe for concurrent use, and all labels are of bounded number.
type Meter struct {
	registry   *prometheus.Registry
	deliveries *prometheus.CounterVec
	judgements *prometheus.CounterVec
	took       *prometheus.HistogramVec
	acts       *prometheus.CounterVec
	calls      *prometheus.CounterVec
	callTook   *prometheus.HistogramVec
	remaining  *prometheus.GaugeVec
	commits    *prometheus.GaugeVec
	round      *prometheus.GaugeVec
	found      *prometheus.CounterVec
}

// NewMeter makes a Meter with a registry of its own.
func NewMeter() *Meter {
	m := &Meter{
		registry: prometheus.NewRegistry(),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "primum_deliveries_total", Help: "Webhook deliveries, by what became of them.",
		}, []string{"forge", "outcome"}),
		judgements: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "primum_judgements_total", Help: "Subjects judged, by kind and outcome.",
		}, []string{"kind", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "primum_judgement_seconds", Help: "From claim to publication.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"kind"}),
		acts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "primum_acts_total", Help: "Writes to forges, by kind and outcome.",
		}, []string{"kind", "outcome"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "primum_forge_calls_total", Help: "Calls to forges, by operation and status.",
		}, []string{"forge", "operation", "status"}),
		callTook: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "primum_forge_call_seconds", Help: "How long forges took to answer.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"forge", "operation"}),
		remaining: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "primum_forge_budget_remaining", Help: "Calls left of the hour's budget, as last said by the forge.",
		}, []string{"forge", "resource"}),
		commits: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "primum_watch_commits", Help: "Commits on which a verdict is watched that holds a change up.",
		}, []string{"forge"}),
		round: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "primum_watch_round_seconds", Help: "How long the last look at all of them took: so long a forged check may go unseen.",
		}, []string{"forge"}),
		found: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "primum_watch_found_total", Help: "Times that somebody else's check was found in place of ours.",
		}, []string{"forge"}),
	}
	m.registry.MustRegister(m.deliveries, m.judgements, m.took, m.acts, m.calls, m.callTook, m.remaining, m.commits, m.round, m.found,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Delivery counts one delivery; outcome is a word of intake.
func (m *Meter) Delivery(forge, outcome string) { m.deliveries.WithLabelValues(forge, outcome).Inc() }

// Call counts one try of one call to a forge. Status 0 is no answer; remaining
// below zero is unknown.
func (m *Meter) Call(forge, operation, resource string, status int, took time.Duration, remaining int) {
	m.calls.WithLabelValues(forge, operation, strconv.Itoa(status)).Inc()
	m.callTook.WithLabelValues(forge, operation).Observe(took.Seconds())
	if remaining >= 0 {
		m.remaining.WithLabelValues(forge, resource).Set(float64(remaining))
	}
}

func (m *Meter) judged(j judge.Judged) {
	outcome := string(j.State)
	switch {
	case j.Err != nil && forges.Temporary(j.Err):
		outcome = "retry"
	case j.Err != nil:
		outcome = "gave-up"
	case outcome == "":
		outcome = "done"
	}
	m.judgements.WithLabelValues(string(j.Kind), outcome).Inc()
	m.took.WithLabelValues(string(j.Kind)).Observe(j.Took.Seconds())
}

func (m *Meter) act(kind publish.Kind, err error) {
	outcome := "done"
	if err != nil {
		outcome = "failed"
	}
	m.acts.WithLabelValues(string(kind), outcome).Inc()
}

func (m *Meter) watched(r watch.Round) {
	m.commits.WithLabelValues(r.Forge).Set(float64(r.Commits))
	m.round.WithLabelValues(r.Forge).Set(r.Took.Seconds())
	m.found.WithLabelValues(r.Forge).Add(float64(r.Found))
}

// watch adds what the store knows, read when somebody asks.
func (m *Meter) watch(s store.Store) {
	m.registry.MustRegister(&counts{store: s})
}

// handler serves the metrics in Prometheus' text format.
func (m *Meter) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Timeout: 10 * time.Second, MaxRequestsInFlight: 4})
}

// counts collects store.Counts at each scrape.
type counts struct{ store store.Store }

func desc(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

// Describe implements prometheus.Collector: the metrics are not known until asked for.
func (*counts) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *counts) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	n, err := c.store.Counts(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(desc("primum_subjects_waiting", "Subjects that wait to be judged."), err)
		return
	}
	gauge := func(name, help string, v float64) {
		out <- prometheus.MustNewConstMetric(desc(name, help), prometheus.GaugeValue, v)
	}
	gauge("primum_subjects_waiting", "Subjects that wait to be judged.", float64(n.Waiting))
	gauge("primum_subjects_due", "Waiting subjects whose time has come.", float64(n.Due))
	gauge("primum_subjects_leased", "Subjects being judged.", float64(n.Leased))
	gauge("primum_subjects_gave_up", "Subjects that were given up; only a new event wakes them.", float64(n.GaveUp))
	gauge("primum_oldest_mark_seconds", "Age of the oldest mark not yet judged.", n.Oldest.Seconds())
	gauge("primum_deliveries_kept", "Deliveries in the store.", float64(n.Deliveries))
	gauge("primum_verdicts_kept", "Verdicts in the store.", float64(n.Verdicts))
}
