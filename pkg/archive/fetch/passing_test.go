package fetch

import (
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// TestPassing checks what is on the disk of a document that passes on, while it comes and
// when it is there.
func TestPassing(t *testing.T) {
	for _, tc := range []struct {
		name string
		body []byte
		on   []string // disk
	}{
		{"small", sheet(t, paper.PDF, 3), []string{}},
		{"large", long(t, 2*small), []string{"doc.part"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, body := t.TempDir(), tc.body
			first := true
			p, err := Get(t.Context(), &server{body: body}, record(0), filepath.Join(dir, "doc.part"), Options{Passing: true, Progress: func(int) {
				if got := names(t, dir); first && len(got) > 0 {
					t.Errorf("%q on the disk when it begins", got)
				}
				first = false
			}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.on, names(t, dir)); diff != "" {
				t.Error(diff)
			}
			for range 2 { // it may have to be sent again
				got, err := io.ReadAll(p.Content())
				if err != nil || string(got) != string(body) {
					t.Errorf("%d bytes of %d, %v", len(got), len(body), err)
				}
			}
			p.Discard()
			if got := names(t, dir); len(got) > 0 {
				t.Errorf("left: %q", got)
			}
		})
	}
}

// TestPassingMayStay gives a document a name after all.
func TestPassingMayStay(t *testing.T) {
	dir, body := t.TempDir(), sheet(t, paper.PDF, 3)
	p, err := Get(t.Context(), &server{body: body}, record(0), filepath.Join(dir, "doc.part"), Options{Passing: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Sync(), p.Rename(filepath.Join(dir, "doc.pdf"))); err != nil {
		t.Fatal(err)
	}
	p.Discard()
	if diff := cmp.Diff([]string{"doc.pdf"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
	whole(t, p.file(filepath.Join(dir, "doc.pdf")), body)
}

// TestPassingIsContinued breaks off a document that passes on: a large one is continued by
// the next run, and of a small one nothing is left.
func TestPassingIsContinued(t *testing.T) {
	for _, tc := range []struct {
		name string
		body []byte
		got  int // bytes, before it breaks off for good
		on   []string
		next []int64 // offsets
	}{
		{"large", long(t, 2*resumable), resumable, []string{"doc.part", "doc.part.etag"}, []int64{resumable}},
		{"large, and little of it", long(t, 2*resumable), 1000, []string{"doc.part", "doc.part.etag"}, []int64{1000}},
		{"small", sheet(t, paper.PDF, 3), 1000, []string{}, []int64{0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, body := t.TempDir(), tc.body
			get := func(s *server) (*Part, error) {
				return Get(t.Context(), s, record(0), filepath.Join(dir, "doc.part"), Options{Passing: true})
			}
			if _, err := get(&server{body: body, etag: `"v1"`, breaks: []int{tc.got, 0, 0, 0}}); !errors.Is(err, problem.ErrUnavailable) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.on, names(t, dir)); diff != "" {
				t.Error(diff)
			}
			s := &server{body: body, etag: `"v1"`}
			p, err := get(s)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Discard()
			if got, err := io.ReadAll(p.Content()); err != nil || string(got) != string(body) {
				t.Errorf("%d bytes of %d, %v", len(got), len(body), err)
			}
			if diff := cmp.Diff(tc.next, s.asked); diff != "" {
				t.Errorf("offsets: %s", diff)
			}
		})
	}
}

// TestPassingLeavesOthersAlone discards a small document beside another run that has the
// same one in a file.
func TestPassingLeavesOthersAlone(t *testing.T) {
	dir, body := t.TempDir(), sheet(t, paper.PDF, 3)
	path := filepath.Join(dir, "doc.part")
	p, err := Get(t.Context(), &server{body: body}, record(0), path, Options{Passing: true})
	if err != nil {
		t.Fatal(err)
	}
	other, err := Get(t.Context(), &server{body: body}, record(0), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Discard()
	p.Discard()
	if diff := cmp.Diff([]string{"doc.part"}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}
