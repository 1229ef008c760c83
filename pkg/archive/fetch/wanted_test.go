package fetch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// provider has one fax, and what its API says of it by now.
type provider struct {
	server
	now   fax.Fax
	gone  bool // the record is not found
	media bool // the list of documents has one
}

func (p *provider) Get(context.Context, string) (fax.Fax, error) {
	if p.gone {
		return fax.Fax{}, fmt.Errorf("fax: %w", problem.ErrNotFound)
	}
	return p.now, nil
}

func (p *provider) Media(context.Context, string) iter.Seq2[fax.Media, error] {
	return func(yield func(fax.Media, error) bool) {
		if p.media {
			yield(fax.Media{ID: "ME1"}, nil)
		}
	}
}

func (*provider) Page(context.Context, fax.Filter, int, string) (fax.Page[fax.Fax], error) {
	return fax.Page[fax.Fax]{}, nil
}

func TestWhatIsWanted(t *testing.T) {
	denial := fmt.Errorf("document: %w", problem.ErrNotFound)
	without := record(1)
	without.MediaID = ""
	failed, underway := without, without
	failed.Status, underway.Status = fax.Failed, fax.Receiving
	for _, tt := range []struct {
		name   string
		listed fax.Fax // as it was selected, or the record of one that is named
		now    fax.Fax // its record when that is asked for again
		gone   bool
		media  bool
		err    error // of storage; nil: there is a document
		want   error // of one that was selected
		named  error // of one that was asked for
		asked  int   // storage, for one that was selected
	}{
		{name: "a document", listed: record(1), now: record(1), asked: 1},
		{name: "failed", listed: failed, now: failed, err: denial, want: ErrNothing, named: problem.ErrNotFound},
		{name: "in progress", listed: underway, now: underway, err: denial, want: ErrNothing, named: problem.ErrNotFound},
		{name: "received, and its record tells of no document", listed: without, now: without, err: denial, want: ErrNothing, named: problem.ErrNotFound, asked: 1},
		{name: "received, and the list of documents has one", listed: without, now: without, media: true, err: denial, want: fax.ErrContradiction, named: problem.ErrNotFound, asked: 1},
		{name: "its record tells of a document", listed: record(1), now: record(1), err: denial, want: fax.ErrContradiction, named: problem.ErrNotFound, asked: 1},
		{name: "deleted since", listed: record(1), gone: true, err: denial, want: ErrNothing, asked: 1},
		{name: "a gateway's word", listed: record(1), now: record(1), err: &fax.APIError{Kind: problem.ErrUnavailable, Status: 404}, want: problem.ErrUnavailable, named: problem.ErrUnavailable, asked: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &provider{server: server{body: sheet(t, paper.PDF, 1), err: tt.err}, now: tt.now, gone: tt.gone, media: tt.media}
			selected := Wanted{Fax: tt.listed}
			f, err := selected.Record(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			_, err = selected.Save(t.Context(), p, f, Target{Dir: t.TempDir(), Base: "doc"}, Options{})
			if !errors.Is(err, tt.want) || len(p.asked) != tt.asked {
				t.Errorf("selected: %v, want %v; storage was asked %d times, want %d", err, tt.want, len(p.asked), tt.asked)
			}
			if errors.Is(err, fax.ErrContradiction) && errors.Is(err, problem.ErrNotFound) {
				t.Errorf("a contradiction is also %v", problem.ErrNotFound)
			}
			named := Wanted{Fax: fax.Fax{ID: "FX1"}, Named: true}
			if f, err = named.Record(t.Context(), p); tt.gone {
				if !errors.Is(err, problem.ErrNotFound) {
					t.Errorf("a record that is gone: %v", err)
				}
				return
			}
			if err != nil || f.Status != tt.now.Status {
				t.Fatalf("record: %+v, %v", f, err)
			}
			if _, err = named.Save(t.Context(), p, f, Target{Dir: t.TempDir(), Base: "doc"}, Options{}); !errors.Is(err, tt.named) || errors.Is(err, ErrNothing) {
				t.Errorf("named: %v, want %v", err, tt.named)
			}
		})
	}
}

func TestSideBySide(t *testing.T) {
	for jobs, keep := range map[int]int{1: 1, 2: 6, 16: 48} {
		if _, got := SideBySide(&server{}, jobs); got != keep {
			t.Errorf("%d jobs: %d are kept at once, want %d", jobs, got, keep)
		}
	}
}
