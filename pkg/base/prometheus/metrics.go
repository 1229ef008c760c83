// Package prometheus holds what a program counts, and writes it as Prometheus reads it. The
// whole of a client for Prometheus takes longer to start than most commands of ours take
// to run.
//
// A [Counter] and a [Histogram] are counted up; a [Family] is made anew of what is true at
// the moment of asking. [Handler] serves them all. Source:
// https://prometheus.io/docs/instrumenting/exposition_formats, text format 0.0.4.
package prometheus

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kind is the type of a metric.
type Kind string

// What Prometheus tells apart.
const (
	Counts     Kind = "counter"
	Measures   Kind = "gauge"
	Summarizes Kind = "summary"
	Buckets    Kind = "histogram"
)

// Family is all that is told under one name.
type Family struct {
	Name, Help string
	Kind       Kind
	Labels     []string // the names, in the order in which values are given

	samples []sample
}

// sample is a line.
type sample struct {
	suffix string // of the name
	labels string // as they are written
	value  float64
}

// NewFamily is a family without samples.
func NewFamily(kind Kind, name, help string, labels ...string) *Family {
	return &Family{Name: name, Help: help, Kind: kind, Labels: labels}
}

// Add adds a sample, with a value for each label.
func (f *Family) Add(value float64, labels ...string) *Family {
	f.samples = append(f.samples, sample{"", written(f.Labels, labels), value})
	return f
}

func (f *Family) addOf(suffix string, value float64, labels string) {
	f.samples = append(f.samples, sample{suffix, labels, value})
}

// written are labels in braces, by name; "": there are none.
func written(names, values []string) string {
	if len(names) == 0 {
		return ""
	}
	pairs := make([]string, len(names))
	for i, name := range names {
		value := strings.ToValidUTF8(values[i], "\uFFFD")
		pairs[i] = name + `="` + strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(value) + `"`
	}
	slices.Sort(pairs)
	return "{" + strings.Join(pairs, ",") + "}"
}

// Write writes families by name, and the samples of each by their labels.
func Write(w io.Writer, families []*Family) error {
	var b bytes.Buffer
	families = slices.SortedFunc(slices.Values(families), func(x, y *Family) int { return cmp.Compare(x.Name, y.Name) })
	for _, f := range families {
		if len(f.samples) == 0 {
			continue
		}
		help := strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(f.Help)
		b.WriteString("# HELP " + f.Name + " " + help + "\n# TYPE " + f.Name + " " + string(f.Kind) + "\n")
		samples := f.samples
		if f.Kind == Counts || f.Kind == Measures {
			samples = slices.SortedFunc(slices.Values(samples), func(x, y sample) int { return cmp.Compare(x.labels, y.labels) })
		}
		for _, s := range samples {
			b.WriteString(f.Name + s.suffix + s.labels + " " + number(s.value) + "\n")
		}
	}
	_, err := b.WriteTo(w)
	return err
}

// number is the shortest that is read as the same again; +Inf, -Inf and NaN are called so.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// atOnce is how many may ask at the same time.
const atOnce = 4

// Handler answers with what is told at the moment of asking; 503 to more than four that
// ask at the same time.
func Handler(tell func(*http.Request) []*Family) http.Handler {
	turns := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		default:
			http.Error(w, "too many ask for the metrics at once", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_ = Write(w, tell(r)) // who asked is gone
	})
}

// Counter counts what never becomes less, for each value of its labels.
type Counter struct {
	name, help string
	labels     []string

	mu     sync.Mutex
	values map[string]float64 // by labels, as they are written
}

// NewCounter is a counter; one without labels is at 0 from the beginning.
func NewCounter(name, help string, labels ...string) *Counter {
	c := &Counter{name: name, help: help, labels: labels, values: map[string]float64{}}
	if len(labels) == 0 {
		c.Add(0)
	}
	return c
}

// Add counts n more, with a value for each label. Of 0 is made what is there before it
// happens for the first time.
func (c *Counter) Add(n float64, labels ...string) {
	key := written(c.labels, labels)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key] += n
}

// Family is what was counted until now.
func (c *Counter) Family() *Family {
	f := NewFamily(Counts, c.name, c.help, c.labels...)
	c.mu.Lock()
	defer c.mu.Unlock()
	for labels, n := range maps.All(c.values) {
		f.addOf("", n, labels)
	}
	return f
}

// Histogram counts values by how large they are.
type Histogram struct {
	name, help string
	bounds     []float64

	mu     sync.Mutex
	counts []uint64 // of values at most as large as each bound, and larger than the one before; the last: larger than all
	sum    float64
}

// NewHistogram is a histogram with these upper bounds, in their order.
func NewHistogram(name, help string, bounds ...float64) *Histogram {
	return &Histogram{name: name, help: help, bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

// Observe counts a value.
func (h *Histogram) Observe(v float64) {
	at, _ := slices.BinarySearch(h.bounds, v)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[at]++
	h.sum += v
}

// Family is what was observed until now.
func (h *Histogram) Family() *Family {
	f := NewFamily(Buckets, h.name, h.help)
	h.mu.Lock()
	defer h.mu.Unlock()
	var below uint64
	for i, bound := range append(slices.Clone(h.bounds), math.Inf(1)) {
		below += h.counts[i]
		f.addOf("_bucket", float64(below), written([]string{"le"}, []string{number(bound)}))
	}
	f.addOf("_sum", h.sum, "")
	f.addOf("_count", float64(below), "")
	return f
}
