package prometheus_test

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/faxctl/faxctl/pkg/base/prometheus"
)

// read is what Prometheus's own parser makes of metrics.
func read(t *testing.T, families []*prometheus.Family) map[string]*dto.MetricFamily {
	t.Helper()
	var text bytes.Buffer
	if err := prometheus.Write(&text, families); err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(&text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// written is what Prometheus's own client writes.
func written(t *testing.T, of ...client.Collector) string {
	t.Helper()
	r := client.NewPedanticRegistry()
	r.MustRegister(of...)
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, f := range all {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

// What is counted is written byte for byte as Prometheus's client writes it, whatever is
// in a value or a help text.
func TestWriteAsTheClient(t *testing.T) {
	counts := prometheus.NewCounter("c_total", `with \ and`+"\nlines", "zone", "area")
	theirs := client.NewCounterVec(client.CounterOpts{Name: "c_total", Help: `with \ and` + "\nlines"}, []string{"zone", "area"})
	for _, values := range [][]string{{"a", "z"}, {"b", "y"}, {`"quoted"`, `back\slash`}, {"two\nlines", "ümlaut"}, {"", ""}} {
		counts.Add(0, values...)
		theirs.WithLabelValues(values...)
		counts.Add(2, values...)
		theirs.WithLabelValues(values...).Add(2)
	}
	alone := prometheus.NewCounter("alone_total", "Without labels.")
	theirAlone := client.NewCounter(client.CounterOpts{Name: "alone_total", Help: "Without labels."})
	bounds := []float64{.25, 1, 2.5, 10, 86400}
	sizes := prometheus.NewHistogram("sizes", "By size.", bounds...)
	theirSizes := client.NewHistogram(client.HistogramOpts{Name: "sizes", Help: "By size.", Buckets: bounds})
	for _, v := range []float64{0, .25, .250001, 1, 9, 10, 1e6, 86400} {
		sizes.Observe(v)
		theirSizes.Observe(v)
	}
	now := prometheus.NewFamily(prometheus.Measures, "now", "Now.", "of")
	theirNow := client.NewGaugeVec(client.GaugeOpts{Name: "now", Help: "Now."}, []string{"of"})
	for i, v := range []float64{1 << 40, -3.5, math.Inf(1), math.Inf(-1), math.NaN(), 1e-9, 1e21, 0, 123456789} {
		of := fmt.Sprint(i)
		now.Add(v, of)
		theirNow.WithLabelValues(of).Set(v)
	}
	var ours bytes.Buffer
	err := prometheus.Write(&ours, []*prometheus.Family{now, sizes.Family(), counts.Family(), alone.Family()})
	if err != nil {
		t.Fatal(err)
	}
	if want := written(t, theirs, theirAlone, theirSizes, theirNow); ours.String() != want {
		t.Errorf("we write\n%s\nthe client writes\n%s", &ours, want)
	}
}

// A value that is no UTF-8 leaves the rest readable, and a family without samples is left
// out.
func TestWriteWhatIsOdd(t *testing.T) {
	all := read(t, []*prometheus.Family{
		prometheus.NewFamily(prometheus.Measures, "odd", "Odd.", "of").Add(1, "\xff\xfe"),
		prometheus.NewFamily(prometheus.Measures, "none", "None."),
	})
	if len(all) != 1 || all["odd"].GetMetric()[0].GetLabel()[0].GetValue() != "\uFFFD" {
		t.Errorf("read are %v", all)
	}
}

// Names, types, help and labels of what every program tells are those of Prometheus's
// client, of which a dashboard may have been made.
func TestGoAndProcessAsTheClient(t *testing.T) {
	runtime.GC()
	ours := read(t, append(prometheus.Go(), prometheus.Process()...))
	r := client.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	theirs, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range theirs {
		got := ours[want.GetName()]
		if got == nil {
			if runtime.GOOS == "linux" || strings.HasPrefix(want.GetName(), "go_") {
				t.Errorf("there is no %s", want.GetName())
			}
			continue
		}
		if got.GetType() != want.GetType() || got.GetHelp() != want.GetHelp() {
			t.Errorf("%s is %s %q, want %s %q", want.GetName(), got.GetType(), got.GetHelp(), want.GetType(), want.GetHelp())
		}
		checkValue(t, want, got)
		delete(ours, want.GetName())
	}
	for name := range ours {
		t.Errorf("the client has no %s", name)
	}
}

// checkValue: both were asked within a moment, and tell much the same.
func checkValue(t *testing.T, want, got *dto.MetricFamily) {
	t.Helper()
	if s := want.GetMetric()[0].GetSummary(); s != nil {
		if n := got.GetMetric()[0].GetSummary(); len(n.GetQuantile()) != len(s.GetQuantile()) || n.GetSampleCount() == 0 || n.GetSampleSum() <= 0 {
			t.Errorf("%s is %v, want about %v", want.GetName(), n, s)
		}
		return
	}
	value := func(f *dto.MetricFamily) float64 {
		m := f.GetMetric()[0]
		return m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	w, g := value(want), value(got)
	switch want.GetName() {
	case "go_gc_gogc_percent", "go_gc_gomemlimit_bytes", "go_sched_gomaxprocs_threads", "process_max_fds", "process_virtual_memory_max_bytes":
		if g != w {
			t.Errorf("%s is %v, want %v", want.GetName(), g, w)
		}
	case "process_start_time_seconds":
		if math.Abs(w-g) > 1 {
			t.Errorf("%s is %v, want about %v", want.GetName(), g, w)
		}
	case "process_cpu_seconds_total": // which is counted in steps of 10 ms
		if g > w || g < w-5 {
			t.Errorf("%s is %v, want about %v", want.GetName(), g, w)
		}
	default: // the client takes memory and goroutines of its own
		if (g == 0) != (w == 0) || g < w/10 || g > w*10 {
			t.Errorf("%s is %v, want about %v", want.GetName(), g, w)
		}
	}
}

func TestHandler(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	h := prometheus.Handler(func(*http.Request) []*prometheus.Family {
		asked <- struct{}{}
		<-answer
		return []*prometheus.Family{prometheus.NewFamily(prometheus.Measures, "up", "Up.").Add(1)}
	})
	ask := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return w
	}
	answers := make(chan *httptest.ResponseRecorder)
	for range 4 {
		go func() { answers <- ask() }()
		<-asked
	}
	if w := ask(); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a fifth that asks at once is answered with %d", w.Code)
	}
	close(answer)
	for range 4 {
		w := <-answers
		if w.Code != http.StatusOK || w.Body.String() != "# HELP up Up.\n# TYPE up gauge\nup 1\n" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		if kind := w.Header().Get("Content-Type"); kind != "text/plain; version=0.0.4; charset=utf-8" {
			t.Errorf("it is of type %s", kind)
		}
	}
	go func() { <-asked }()
	if w := ask(); w.Code != http.StatusOK {
		t.Errorf("a turn is not given back: %d", w.Code)
	}
}

// TestGogc: what GOGC says is told as the runtime has it, which knows it from the start of
// a program.
func TestGogc(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"", "off", "50", "-1", "0", "junk", "1e3", "99999999999"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestGoAndProcessAsTheClient$")
		cmd.Env = append(os.Environ(), "GOGC="+given)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("GOGC=%s: %v\n%s", given, err, out)
		}
	}
}
