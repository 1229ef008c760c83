package fetch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// slow takes a while to answer.
type slow struct {
	*server
	takes time.Duration
}

func (s slow) Open(ctx context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	time.Sleep(s.takes)
	return s.server.Open(ctx, f, offset)
}

// Two runs that overlap get a document once, and both have it.
func TestSaveTwiceAtOnce(t *testing.T) {
	dir := t.TempDir()
	pdf := sheet(t, paper.PDF, 3)
	synctest.Test(t, func(t *testing.T) {
		s := slow{&server{body: pdf}, 5 * time.Second}
		var wait sync.WaitGroup
		for range 3 {
			wait.Go(func() {
				got, err := Save(t.Context(), s, record(3), Target{Dir: dir, Base: "doc"}, Options{})
				if err != nil {
					t.Error(err)
				}
				whole(t, got, pdf)
			})
		}
		wait.Wait()
		if len(s.asked) != 1 {
			t.Errorf("asked for %d times", len(s.asked))
		}
	})
	if diff := cmp.Diff([]string{"doc.pdf"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// One that cannot have the document in its turn leaves that of another whole.
func TestSaveWhileAnotherTakesLong(t *testing.T) {
	dir := t.TempDir()
	pdf := sheet(t, paper.PDF, 3)
	part, err := Get(t.Context(), &server{body: pdf}, record(3), filepath.Join(dir, ".doc.part"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	down := &server{err: problem.ErrUnavailable}
	synctest.Test(t, func(t *testing.T) {
		if _, err := Save(t.Context(), down, record(3), Target{Dir: dir, Base: "doc"}, Options{}); !errors.Is(err, problem.ErrConflict) || problem.AdviceOf(err).String() == "" {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := SaveAs(ctx, down, record(3), filepath.Join(dir, "doc"), Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	got, err := part.keep(filepath.Join(dir, "doc.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	whole(t, got, pdf)
}

// Whatever runs beside it: who succeeds has a whole document.
func TestSaveInACrowd(t *testing.T) {
	dir := t.TempDir()
	pdf := sheet(t, paper.PDF, 3)
	to := Target{Dir: dir, Base: "doc", Ext: ".pdf", Replace: true}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			s := &server{body: pdf}
			if i%2 == 0 {
				s.err = problem.ErrUnavailable
			}
			for range 25 {
				_, err := Save(t.Context(), s, record(3), to, Options{})
				if !errors.Is(err, s.err) {
					t.Error(err)
				}
				if data, err := os.ReadFile(filepath.Join(dir, "doc.pdf")); err == nil && len(data) != len(pdf) {
					t.Errorf("%d bytes of %d under the final name", len(data), len(pdf))
				}
			}
		})
	}
	wait.Wait()
	if diff := cmp.Diff([]string{"doc.pdf"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	if f, err := durable.Claim(durable.OS{}, filepath.Join(dir, ".doc.part")); err != nil {
		t.Errorf("still taken: %v", err)
	} else if err := f.Close(); err != nil {
		t.Error(err)
	}
}
