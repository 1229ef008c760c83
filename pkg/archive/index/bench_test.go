package index

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// BenchmarkSharedList measures a list of 100,000 kept faxes: its first row against the
// query that it stands for, and what it holds. Both have a bound.
func BenchmarkSharedList(b *testing.B) {
	const n = 100_000
	x := shared(b, database(b), "s3://bucket/kept")
	entry := fmt.Appendf(nil, `{"fax":"%01000d"}`, 0)
	for all := range slices.Chunk(rows(n), 5000) {
		for i := range all {
			all[i].Entry = entry
		}
		if err := x.Put(b.Context(), all); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := x.db.ExecContext(b.Context(), `ANALYZE faxctl.faxes`); err != nil {
		b.Fatal(err)
	}
	var first, query []time.Duration
	var held, before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most, total := uint64(0), 0
	for b.Loop() {
		for range 20 {
			query = append(query, bareQuery(b, x))
			began := time.Now()
			for _, err := range x.List(b.Context(), fax.Filter{}) {
				if err != nil {
					b.Fatal(err)
				}
				first = append(first, time.Since(began))
				break
			}
		}
		seen := 0
		for _, err := range x.List(b.Context(), fax.Filter{}) {
			if err != nil {
				b.Fatal(err)
			}
			if seen++; seen%10_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&held)
				most = max(most, held.HeapAlloc-min(held.HeapAlloc, before.HeapAlloc))
			}
		}
		total = seen
	}
	slices.Sort(first)
	slices.Sort(query)
	ratio := float64(first[len(first)/2]) / float64(query[len(query)/2])
	b.ReportMetric(float64(first[len(first)/2].Microseconds()), "µs/first")
	b.ReportMetric(float64(query[len(query)/2].Microseconds()), "µs/query")
	b.ReportMetric(ratio, "times")
	b.ReportMetric(float64(most)/(1<<20), "MiB")
	if total != n || ratio > 3 || most > 16<<20 {
		b.Errorf("%d rows; the first after %.1f times its query, at most 3; %d MiB held, at most 16", total, ratio, most>>20)
	}
}

// bareQuery is how long the first row of the query takes that a list stands for.
func bareQuery(b *testing.B, x *Index) time.Duration {
	b.Helper()
	began := time.Now()
	rows, err := x.db.QueryContext(b.Context(), `SELECT id, created, key, stamp, held, entry FROM faxctl.faxes WHERE archive = $1 ORDER BY -created, id`, x.archive)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() {
		b.Fatal(rows.Err())
	}
	return time.Since(began)
}
