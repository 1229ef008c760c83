package receiver

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// metrics is what an operator watches. It has a registry of its own.
type metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.CounterVec
	signatures *prometheus.CounterVec
	latency    prometheus.Histogram
	bytes      prometheus.Counter
	putOut     prometheus.Counter
}

func newMetrics(r *Receiver) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "faxctl_requests_total", Help: "Requests by what was asked and what came of it.",
		}, []string{"request", "outcome"}),
		signatures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "faxctl_signature_failures_total", Help: "Requests whose signature was not accepted, by reason.",
		}, []string{"reason"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "faxctl_fetch_latency_seconds", Help: "From hearing of a fax to having it in the archive.",
			Buckets: []float64{.25, .5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600},
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "faxctl_archived_bytes_total", Help: "Bytes of documents archived by this process.",
		}),
	}
	m.putOut = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "faxctl_connections_put_out_total", Help: "Slow connections that were closed since all were taken.",
	})
	// All are there from the start, so that an alert sees the first one.
	for _, reason := range []string{"missing", "malformed", "wrong", "account"} {
		m.signatures.WithLabelValues(reason)
	}
	for what, outcomes := range requestOutcomes() {
		for _, outcome := range outcomes {
			m.requests.WithLabelValues(what, outcome)
		}
	}
	m.registry.MustRegister(m.requests, m.signatures, m.latency, m.bytes, m.putOut, gauges{r, gaugeDescriptions()}, buildInfo(r.cfg.Build),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// buildInfo tells which program it is that is watched.
func buildInfo(b Build) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "faxctl_build_info", Help: "Which faxctl this is.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "go": b.Go},
	})
	info.Set(1)
	return info
}

// requestOutcomes are what can become of each request, and of what is done by itself.
func requestOutcomes() map[string][]string {
	refused := []string{"busy", "failed", "forged", "gone", "malformed", notListed, "other account", "put out", "too large", "unsigned"}
	return map[string][]string{
		"fax": append([]string{"receive", "reject"}, refused...),
		"callback": append([]string{
			"recorded", "repeated", // what came was told before
			"another", "no document", "no fax", "not asked for", notCompared, otherBytes().outcome, // a document is kept aside
		}, refused...),
		"other":    {"method", "not found"},
		"backfill": {"failed", "recorded"},
		"prune":    {"done", "failed"},
		"forget":   {"failed"},

		delivery.MailName: {"refused", "retried", "sent"},
	}
}

func (m *metrics) request(what, outcome string) { m.requests.WithLabelValues(what, outcome).Inc() }
func (m *metrics) badSignature(reason string)   { m.signatures.WithLabelValues(reason).Inc() }

func (m *metrics) archived(n delivery.News) {
	m.latency.Observe(n.Archived.Sub(n.Received).Seconds())
	m.bytes.Add(float64(n.Size))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, ErrorHandling: promhttp.ContinueOnError})
}

// gauges are what is true at the moment of asking.
type gauges struct {
	r *Receiver
	d map[string]*prometheus.Desc
}

func gaugeDescriptions() map[string]*prometheus.Desc {
	d := map[string]*prometheus.Desc{}
	for _, g := range []struct {
		key, name, help string
		labels          []string
	}{
		{"faxes", "faxctl_faxes", "Faxes by the status they reached.", []string{"status"}},
		{"jobs", "faxctl_jobs", "Jobs that are not done, by kind and state.", []string{"kind", "state"}},
		{"age", "faxctl_queue_age_seconds", "How long the oldest job that could run has waited.", nil},
		{"backfill", "faxctl_backfill_last_success_timestamp_seconds", "When the provider's list was last compared with what came; 0: never.", nil},
		{"prune", "faxctl_prune_last_success_timestamp_seconds", "When a daily prune last deleted all that it selected; 0: never.", nil},
		{"pruned", "faxctl_prune_faxes", "Faxes of the last daily prune, by what became of them.", []string{"outcome"}},
		{"unmatched", "faxctl_mail_unmatched_total", "Faxes of which no rule had anybody told by mail, since the state was made.", nil},
		{"refused", "faxctl_prune_refused", "1 while the last daily prune deleted nothing for this reason.", []string{"reason"}},
		{"size", "faxctl_archive_bytes", "Bytes of documents in the archive.", nil},
		{"free", "faxctl_disk_free_bytes", "Bytes that may still be written where the archive or the state is.", []string{"place"}},
		{"certificate", "faxctl_certificate_not_after_timestamp_seconds", "When the certificate that is served ends; 0: there is none yet.", nil},
	} {
		d[g.key] = prometheus.NewDesc(g.name, g.help, g.labels, nil)
	}
	return d
}

// Describe implements prometheus.Collector.
func (g gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range g.d {
		ch <- d
	}
}

// Collect implements prometheus.Collector. What cannot be read is left out, and so is
// what this receiver does not do.
func (g gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	tell := func(name string, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(g.d[name], prometheus.GaugeValue, v, labels...)
	}
	if g.r.certificate.served.Load() {
		tell("certificate", float64(g.r.certificate.ends.Load()))
	}
	if n, err := durable.Free(g.r.cfg.StateDir); err == nil {
		tell("free", float64(n), "state")
	}
	if n, err := g.r.cfg.Archive.Free(); err == nil {
		tell("free", float64(n), "archive")
	}
	if size, err := g.r.cfg.Archive.Size(ctx); err == nil {
		tell("size", float64(size))
	}
	stats, err := g.r.queue.stats(ctx)
	if err != nil {
		g.r.log.Warn("metrics", slog.Any("error", err))
		return
	}
	if at, err := g.r.lastBackfill(ctx); err == nil && g.r.cfg.Backfill > 0 {
		tell("backfill", unix(at))
	}
	work(stats, tell)
	ch <- prometheus.MustNewConstMetric(g.d["unmatched"], prometheus.CounterValue, float64(stats.Unmatched))
	if g.r.cfg.Prune != nil {
		pruneGauges(stats.Prune, tell)
	}
}

// work tells of faxes and jobs, of those that there are none of as well.
func work(stats Stats, tell func(name string, v float64, labels ...string)) {
	faxes := map[fax.Status]int{}
	for _, status := range fax.Statuses() {
		if status.Terminal() {
			faxes[status] = 0
		}
	}
	maps.Copy(faxes, stats.Faxes)
	for status, n := range faxes {
		tell("faxes", float64(n), string(status))
	}
	type key struct{ kind, state string }
	jobs := map[key]int{}
	for _, kind := range append(delivery.Names(), "fetch", "aside", "backfill", "prune", "forget") {
		for _, state := range []string{Waiting, Running, Retrying, Parked} {
			jobs[key{kind, state}] = 0
		}
	}
	for _, j := range stats.Jobs {
		jobs[key{j.Kind, j.State}] = j.Count
	}
	for k, n := range jobs {
		tell("jobs", float64(n), k.kind, k.state)
	}
	tell("age", stats.Age.Seconds())
}

func pruneGauges(last *Pruned, tell func(name string, v float64, labels ...string)) {
	if last == nil {
		last = &Pruned{}
	}
	tell("prune", unix(last.Succeeded))
	for outcome, n := range last.Counts() {
		tell("pruned", float64(n), strings.ReplaceAll(outcome, " ", "_"))
	}
	for _, reason := range []string{ByClock, ByLimit} {
		is := 0.0
		if last.Refused == reason {
			is = 1
		}
		tell("refused", is, reason)
	}
}

// unix is a time in seconds since 1970, and 0 for none.
func unix(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMilli()) / 1000
}
