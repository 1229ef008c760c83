package receiver

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
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
	for _, reason := range []string{"missing", "malformed", "wrong", "account"} {
		m.signatures.WithLabelValues(reason) // there from the start, so that an alert sees the first one
	}
	m.registry.MustRegister(m.requests, m.signatures, m.latency, m.bytes, m.putOut, gauges{r, gaugeDescriptions()},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) request(what, outcome string) { m.requests.WithLabelValues(what, outcome).Inc() }
func (m *metrics) badSignature(reason string)   { m.signatures.WithLabelValues(reason).Inc() }

func (m *metrics) archived(n news) {
	m.latency.Observe(n.Archived.Sub(n.Received).Seconds())
	m.bytes.Add(float64(n.Size))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, ErrorHandling: promhttp.ContinueOnError})
}

// gauges read from the database what is true at the moment of asking.
type gauges struct {
	r *Receiver
	d map[string]*prometheus.Desc
}

func gaugeDescriptions() map[string]*prometheus.Desc {
	return map[string]*prometheus.Desc{
		"faxes":   prometheus.NewDesc("faxctl_faxes", "Faxes by the status they reached.", []string{"status"}, nil),
		"jobs":    prometheus.NewDesc("faxctl_jobs", "Jobs that are not done, by kind and state.", []string{"kind", "state"}, nil),
		"age":     prometheus.NewDesc("faxctl_queue_age_seconds", "How long the oldest job that could run has waited.", nil, nil),
		"pruned":  prometheus.NewDesc("faxctl_prune_faxes", "Faxes of the last daily prune, by what became of them.", []string{"outcome"}, nil),
		"refused": prometheus.NewDesc("faxctl_prune_refused", "1 while the last daily prune deleted nothing for this reason.", []string{"reason"}, nil),
		"size":    prometheus.NewDesc("faxctl_archive_bytes", "Bytes of documents in the archive.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (g gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range g.d {
		ch <- d
	}
}

// Collect implements prometheus.Collector. What cannot be read is left out.
func (g gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	gauge := func(name string, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(g.d[name], prometheus.GaugeValue, v, labels...)
	}
	stats, err := g.r.queue.stats(ctx)
	if err != nil {
		g.r.log.Warn("metrics", slog.Any("error", err))
		return
	}
	for status, n := range stats.Faxes {
		gauge("faxes", float64(n), string(status))
	}
	for _, j := range stats.Jobs {
		gauge("jobs", float64(j.Count), j.Kind, j.State)
	}
	gauge("age", stats.Age.Seconds())
	if p := stats.Prune; p != nil {
		for outcome, n := range p.Counts() {
			gauge("pruned", float64(n), strings.ReplaceAll(outcome, " ", "_"))
		}
		for _, reason := range []string{ByClock, ByLimit} {
			is := 0.0
			if p.Refused == reason {
				is = 1
			}
			gauge("refused", is, reason)
		}
	}
	if size, err := g.r.cfg.Archive.Size(ctx); err == nil {
		gauge("size", float64(size))
	}
}
