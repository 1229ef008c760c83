package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/faxctl/faxctl/pkg/archive/store"
)

// rivals are calls at once for one name.
const rivals = 16

// oneWinner puts under the same condition at once: one is told that it did.
func oneWinner(t *testing.T, s store.Store) {
	stamp := ""
	for round, when := range []func() store.Condition{store.Absent, func() store.Condition { return store.Unchanged(stamp) }} {
		var mu sync.Mutex
		var won []string
		var stamps []string
		together(func(i int) {
			content := fmt.Sprintf("round %d, rival %d", round, i)
			stamp, err := s.Put(t.Context(), "a/FX1.json", strings.NewReader(content), when())
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won, stamps = append(won, content), append(stamps, stamp)
			} else {
				wantChanged(t, err)
			}
		})
		if len(won) != 1 {
			t.Fatalf("%d winners: %q", len(won), won)
		}
		if got := holds(t, s, "a/FX1.json", won[0]); got != stamps[0] {
			t.Errorf("stamp %q, the winner's is %q", got, stamps[0])
		}
		stamp = stamps[0]
	}
}

// together calls do for each rival at once.
func together(do func(i int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range rivals {
		all.Go(func() {
			<-begin
			do(i)
		})
	}
	close(begin)
	all.Wait()
}

// everyChangeCounts has rivals read, add their mark, and write under the condition that
// nobody else did, until each has: no mark is lost.
func everyChangeCounts(t *testing.T, s store.Store) {
	keep(t, s, "count", strings.Repeat(".", rivals), store.Absent())
	together(func(i int) {
		for {
			r, f, err := s.Open(t.Context(), "count", 0)
			if err != nil {
				t.Error(err)
				return
			}
			data, err := io.ReadAll(r)
			if err := errors.Join(err, r.Close()); err != nil {
				t.Error(err)
				return
			}
			data[i] = 'x' // of the same length: it is not that which tells them apart
			_, err = s.Put(t.Context(), "count", bytes.NewReader(data), store.Unchanged(f.Stamp))
			if err == nil {
				return
			}
			if !errors.Is(err, store.ErrChanged) {
				t.Error(err)
				return
			}
		}
	})
	holds(t, s, "count", strings.Repeat("x", rivals))
}

// manyAtOnce has several names put, read, listed and removed at once.
func manyAtOnce(t *testing.T, s store.Store) {
	var listedOnes atomic.Int64
	together(func(i int) {
		for n := range 4 {
			name := fmt.Sprintf("2026/11/%02d/FX%d-%d.json", n, i, n)
			keepAndRead(t, s, name)
			if n == 0 {
				for f, err := range s.List(t.Context(), fmt.Sprintf("2026/11/%02d/FX%d-", n, i)) {
					if err != nil || f.Name != name {
						t.Errorf("listed: %+v, %v", f, err)
					}
					listedOnes.Add(1)
				}
			}
			if n%2 == 1 {
				if err := s.Remove(t.Context(), name); err != nil {
					t.Error(err)
				}
			}
		}
	})
	if n := listedOnes.Load(); n != rivals {
		t.Errorf("%d of %d were listed", n, rivals)
	}
	if got := listed(t, s, "2026/"); len(got) != 2*rivals {
		t.Errorf("%d are left, want %d: %q", len(got), 2*rivals, got)
	}
}

// keepAndRead is for any goroutine.
func keepAndRead(t *testing.T, s store.Store, name string) {
	stamp, err := s.Put(t.Context(), name, strings.NewReader(name), store.Absent())
	if err != nil {
		t.Errorf("put %q: %v", name, err)
		return
	}
	r, f, err := s.Open(t.Context(), name, 0)
	if err != nil {
		t.Errorf("open %q: %v", name, err)
		return
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || string(got) != name || f.Stamp != stamp {
		t.Errorf("%q: %q, %+v, %v; it was put as %q", name, got, f, err, stamp)
	}
}
