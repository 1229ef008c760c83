package listing_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
)

// BenchmarkList lists 100,000 faxes from a provider 40 ms away. The metric
// x-paging is how many times faster that is than one page after another, and
// heap-MB the most memory in use at once beyond the provider's own.
func BenchmarkList(b *testing.B) {
	faxes := business(100_000, 179)
	orders()["newest first"](faxes)
	for i := range faxes {
		faxes[i].From, faxes[i].To = fmt.Sprintf("+1415555%04d", i%10_000), "+14155550123"
		faxes[i].Raw = json.RawMessage(`{"sid":"FX"}`)
	}
	const latency = 40 * time.Millisecond
	paging := time.Duration(len(faxes)/1000) * latency
	for _, jobs := range []int{8, 12, 16} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			runtime.GC()
			var before, now runtime.MemStats
			runtime.ReadMemStats(&before)
			var requests atomic.Int64
			peak := uint64(0)
			for b.Loop() {
				d := &drawer{faxes: faxes, sorted: true, most: 1000, latency: latency}
				n := 0
				for _, err := range listing.List(b.Context(), d, fax.Filter{}, listing.Options{Jobs: jobs, Now: testNow(), Retention: 180 * 24 * time.Hour}) {
					if err != nil {
						b.Fatal(err)
					}
					if n++; n%5000 == 0 {
						runtime.ReadMemStats(&now)
						peak = max(peak, now.HeapInuse-before.HeapInuse)
					}
				}
				if n != len(faxes) {
					b.Fatalf("%d faxes", n)
				}
				requests.Add(d.pages.Load())
			}
			b.ReportMetric(float64(paging)*float64(b.N)/float64(b.Elapsed()), "x-paging")
			b.ReportMetric(float64(requests.Load())/float64(b.N), "requests")
			b.ReportMetric(float64(peak)/(1<<20), "heap-MB")
		})
	}
}

// BenchmarkListMillion counts the requests that 1,000,000 faxes cost, which are 1,077 when
// each window is filled as it should be. The faxes come as to an office; how long a list
// takes, the benchmarks of faxctl itself tell.
func BenchmarkListMillion(b *testing.B) {
	const needed, most = 1077, 1.15
	faxes := business(1_000_000, 179)
	orders()["newest first"](faxes)
	var requests int64
	for b.Loop() {
		d := &drawer{faxes: faxes, sorted: true, most: 1000, latency: 5 * time.Millisecond}
		n := 0
		for _, err := range listing.List(b.Context(), d, fax.Filter{}, listing.Options{Now: testNow(), Retention: 180 * 24 * time.Hour}) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != len(faxes) {
			b.Fatalf("%d faxes", n)
		}
		requests += d.pages.Load()
	}
	of := float64(requests) / float64(b.N) / needed
	b.ReportMetric(float64(requests)/float64(b.N), "requests")
	b.ReportMetric(of, "of-needed")
	if b.ReportMetric(most, "of-needed-allowed"); of > most {
		b.Logf("NOT AS PROMISED: %.2f of the requests needed instead of %.2f", of, most)
	}
}
