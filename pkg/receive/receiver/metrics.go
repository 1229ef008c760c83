package receiver

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/prometheus"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// metrics is what an operator watches.
type metrics struct {
	r          *Receiver
	requests   *prometheus.Counter
	signatures *prometheus.Counter
	latency    *prometheus.Histogram
	bytes      *prometheus.Counter
	incoming   *prometheus.Counter
	putOut     *prometheus.Counter
}

func newMetrics(r *Receiver) *metrics {
	m := &metrics{
		r:          r,
		requests:   prometheus.NewCounter("faxctl_requests_total", "Requests by what was asked and what came of it.", "request", "outcome"),
		signatures: prometheus.NewCounter("faxctl_signature_failures_total", "Requests whose signature was not accepted, by reason.", "reason"),
		latency: prometheus.NewHistogram("faxctl_fetch_latency_seconds", "From hearing of a fax to having it in the archive.",
			.25, .5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 6*3600, 24*3600),
		bytes:    prometheus.NewCounter("faxctl_archived_bytes_total", "Bytes of documents that this process put into the archive."),
		putOut:   prometheus.NewCounter("faxctl_connections_put_out_total", "Slow connections that were closed since all were taken."),
		incoming: prometheus.NewCounter("faxctl_incoming_errors_total", "Failures of the place where documents wait that came with a callback, by what was done.", "operation"),
	}
	// All are there from the start, so that an alert sees the first one.
	for _, operation := range []string{"keep", "open", "remove"} {
		m.incoming.Add(0, operation)
	}
	for _, reason := range []string{"missing", "malformed", "wrong", "account"} {
		m.signatures.Add(0, reason)
	}
	for what, outcomes := range requestOutcomes() {
		for _, outcome := range outcomes {
			m.requests.Add(0, what, outcome)
		}
	}
	return m
}

// buildInfo tells which program it is that is watched.
func buildInfo(b Build) *prometheus.Family {
	return prometheus.NewFamily(prometheus.Measures, "faxctl_build_info", "Which faxctl this is.", "version", "commit", "go").Add(1, b.Version, b.Commit, b.Go)
}

// requestOutcomes are what can become of each request, and of what is done by itself.
func requestOutcomes() map[string][]string {
	refused := []string{"busy", "failed", "forged", "gone", "malformed", notListed, "other account", "put out", "too large", "unsigned"}
	return map[string][]string{
		"fax": append([]string{"receive", "reject"}, refused...),
		"callback": append([]string{
			"recorded", "repeated", // what came was told before
			"late",                                                                                 // its provider was told to try elsewhere
			"another", "no document", "no fax", "not asked for", notCompared, otherBytes().outcome, // a document is kept aside
			"full",
		}, refused...),
		"other":    {"method", "not found"},
		"backfill": {"failed", "recorded"},
		"unnoted":  {"aside", "full", "recorded", "repeated", notCompared, otherBytes().outcome},
		"prune":    {"done", "failed"},
		"forget":   {"failed"},

		delivery.MailName: {"refused", "retried", "sent"},
	}
}

func (m *metrics) request(what, outcome string) { m.requests.Add(1, what, outcome) }
func (m *metrics) badSignature(reason string)   { m.signatures.Add(1, reason) }

// archived counts a fax that is in the archive now, and its bytes unless they were before.
func (m *metrics) archived(n delivery.News, before bool) {
	m.latency.Observe(n.Archived.Sub(n.Received).Seconds())
	if !before {
		m.bytes.Add(float64(n.Size))
	}
}

func (m *metrics) handler() http.Handler {
	return prometheus.Handler(func(req *http.Request) []*prometheus.Family {
		now := gauges()
		m.tellNow(req.Context(), func(key string, v float64, labels ...string) { now[key].Add(v, labels...) })
		counted := []*prometheus.Family{
			m.requests.Family(), m.signatures.Family(), m.latency.Family(), m.bytes.Family(), m.putOut.Family(), m.incoming.Family(),
			buildInfo(m.r.cfg.Build),
		}
		return slices.Concat(counted, slices.Collect(maps.Values(now)), prometheus.Go(), prometheus.Process())
	})
}

// gauges are for what is true at the moment of asking.
func gauges() map[string]*prometheus.Family {
	gauge := func(name, help string, labels ...string) *prometheus.Family {
		return prometheus.NewFamily(prometheus.Measures, name, help, labels...)
	}
	counter := func(name, help string) *prometheus.Family { return prometheus.NewFamily(prometheus.Counts, name, help) }
	return map[string]*prometheus.Family{
		"faxes":       gauge("faxctl_faxes", "Faxes by the status they reached.", "status"),
		"jobs":        gauge("faxctl_jobs", "Jobs that are not done, by kind and state.", "kind", "state"),
		"age":         gauge("faxctl_queue_age_seconds", "How long the oldest job that could run has waited."),
		"backfill":    gauge("faxctl_backfill_last_success_timestamp_seconds", "When the provider's list was last compared with what came; 0: never."),
		"prune":       gauge("faxctl_prune_last_success_timestamp_seconds", "When a daily prune last deleted all that it selected; 0: never."),
		"pruned":      gauge("faxctl_prune_faxes", "Faxes of the last daily prune, by what became of them.", "outcome"),
		"unmatched":   counter("faxctl_mail_unmatched_total", "Faxes of which no rule had anybody told by mail, since the state was made."),
		"refused":     gauge("faxctl_prune_refused", "1 while the last daily prune deleted nothing for this reason.", "reason"),
		"size":        gauge("faxctl_archive_bytes", "Bytes of documents in the archive, as this process knows of them; of replicas take the max, not the sum."),
		"free":        gauge("faxctl_disk_free_bytes", "Bytes that may still be written where the archive or the state is.", "place"),
		"replicas":    gauge("faxctl_replicas", "Replicas that work on the jobs of the same database, by state.", "state"),
		"leader":      gauge("faxctl_leader", "1 while this replica starts what comes back by itself: backfill, prune.", "replica"),
		"connections": gauge("faxctl_database_connections", "Connections to the database, by state.", "state"),
		"waits":       counter("faxctl_database_waits_total", "How often one waited for a connection to the database."),
		"waited":      counter("faxctl_database_wait_seconds_total", "How long one waited for connections to the database, all in all."),
		"certificate": gauge("faxctl_certificate_not_after_timestamp_seconds", "When the certificate that is served ends; 0: there is none yet."),
	}
}

// tellNow tells what is true now. What cannot be read is left out, and so is what this
// receiver does not do.
func (m *metrics) tellNow(ctx context.Context, tell func(key string, v float64, labels ...string)) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if m.r.certificate.served.Load() {
		tell("certificate", float64(m.r.certificate.ends.Load()))
	}
	if n, err := durable.Free(m.r.cfg.StateDir); err == nil {
		tell("free", float64(n), "state")
	}
	if n, err := m.r.cfg.Archive.Free(); err == nil {
		tell("free", float64(n), "archive")
	}
	if size, err := m.r.cfg.Archive.Size(ctx); err == nil {
		tell("size", float64(size))
	}
	if db := m.r.cfg.Database; db != nil {
		pool := db.Stats()
		tell("connections", float64(pool.Idle), "idle")
		tell("connections", float64(pool.InUse), "in use")
		tell("waits", float64(pool.WaitCount))
		tell("waited", pool.WaitDuration.Seconds())
	}
	stats, err := m.r.queue.stats(ctx)
	if err != nil {
		m.r.log.Warn("metrics", slog.Any("error", err))
		return
	}
	if at, err := m.r.lastBackfill(ctx); err == nil && m.r.cfg.Backfill > 0 {
		tell("backfill", unix(at))
	}
	work(stats, tell)
	if m.r.queue.db.shared() {
		m.replicas(stats.Replicas, tell)
	}
	tell("unmatched", float64(stats.Unmatched))
	if m.r.cfg.Prune != nil {
		pruneGauges(stats.Prune, tell)
	}
}

// work tells of faxes and jobs, of those that there are none of as well.
func work(stats Stats, tell func(key string, v float64, labels ...string)) {
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

// replicas tells of those that share the jobs, and whether this one leads them.
func (m *metrics) replicas(all []Replica, tell func(key string, v float64, labels ...string)) {
	states := map[string]int{Working: 0, Draining: 0, Silent: 0}
	leads := 0.0
	for _, r := range all {
		states[r.State]++
		if r.Leader && r.ID == m.r.queue.office.Load().id {
			leads = 1
		}
	}
	for state, n := range states {
		tell("replicas", float64(n), state)
	}
	tell("leader", leads, thisReplica())
}

func pruneGauges(last *Pruned, tell func(key string, v float64, labels ...string)) {
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
