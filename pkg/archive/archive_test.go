package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestOpen(t *testing.T) {
	write := func(t *testing.T, name, content string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name string
		make func(t *testing.T, dir string)
		is   error
	}{
		{"an empty folder", func(*testing.T, string) {}, nil},
		{"a folder made a moment ago by a run that was cut off", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, lockName), "")
			write(t, filepath.Join(dir, "."+formatFile+".part"), "{")
		}, nil},
		{"an archive", func(t *testing.T, dir string) { write(t, filepath.Join(dir, formatFile), `{"format":1}`) }, nil},
		{"someone's folder", func(t *testing.T, dir string) { write(t, filepath.Join(dir, "thesis.doc"), "x") }, problem.ErrInvalid},
		{"a later version", func(t *testing.T, dir string) { write(t, filepath.Join(dir, formatFile), `{"format":2}`) }, problem.ErrUnsupported},
		{"a broken format file", func(t *testing.T, dir string) { write(t, filepath.Join(dir, formatFile), `{`) }, problem.ErrInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			tc.make(t, dir)
			a, err := Open(t.Context(), dir)
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Fatalf("got %v, want %v", err, tc.is)
			}
			if err == nil {
				err = a.Close(t.Context())
			}
			if tc.is == nil && err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := Read(t.Context(), filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, problem.ErrNotFound) || problem.AdviceOf(err).String() == "" {
		t.Errorf("reading what is not there: %v", err)
	}
}

func TestOneWriterAtATime(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 2)
	a := open(t, dir)
	save(t, a, d, faxes[0])
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrLocked) || !errors.Is(err, problem.ErrConflict) || problem.AdviceOf(err).String() == "" {
		t.Errorf("a second writer: %v", err)
	}
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := Read(t.Context(), dir) // needs no lock
	if err != nil {
		t.Fatal(err)
	}
	if got := listed(t, r, fax.Filter{}); len(got) != 1 {
		t.Errorf("the reader sees %v", got)
	}
	if _, _, err := r.Save(t.Context(), d, faxes[1]); !errors.Is(err, problem.ErrInvalid) {
		t.Errorf("writing to an archive open for reading: %v", err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The index is derived: whatever happens to it, the sidecars bring it back.
func TestIndexIsRebuilt(t *testing.T) {
	for name, harm := range map[string]func(t *testing.T, dir string) error{
		"missing": func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, indexFile)) },
		"no SQLite": func(_ *testing.T, dir string) error {
			return os.WriteFile(filepath.Join(dir, indexFile), []byte("hello"), 0o600)
		},
		"empty": func(_ *testing.T, dir string) error { return os.WriteFile(filepath.Join(dir, indexFile), nil, 0o600) },
		"cut":   func(_ *testing.T, dir string) error { return os.Truncate(filepath.Join(dir, indexFile), 5000) },
		"left behind by a killed run": func(t *testing.T, dir string) error {
			a, err := Open(t.Context(), dir)
			if err != nil {
				return err
			}
			rows, err := fax.Collect(a.index.List(t.Context(), fax.Filter{}))
			if err != nil {
				return err
			}
			if err := a.index.Remove(t.Context(), rows[1:3]); err != nil {
				return err
			}
			return errors.Join(a.index.Close(), a.turn.Close()) // but not a.Close
		},
	} {
		for opener, openIt := range map[string]func(context.Context, string) (*Archive, error){"open": Open, "read": Read} {
			t.Run(name+", "+opener, func(t *testing.T) {
				dir := t.TempDir()
				d, faxes := fill(t, 5)
				a, err := Open(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				saveAll(t, a, d, faxes)
				want := listed(t, a, fax.Filter{})
				if err := errors.Join(a.Close(t.Context()), harm(t, dir)); err != nil {
					t.Fatal(err)
				}
				b, err := openIt(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, listed(t, b, fax.Filter{})); diff != "" {
					t.Error(diff)
				}
				if err := b.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A sidecar that stands in another folder by now is found there, in the run that
// puts things in order as well.
func TestIndexFollowsASidecar(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 2)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	if err := os.Mkdir(filepath.Join(dir, "undated"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".json", ".pdf"} {
		if err := os.Rename(filepath.Join(dir, "2026/11/23/FX0001"+ext), filepath.Join(dir, "undated/FX0001"+ext)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.flushRows(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r, err := a.reconcile(t.Context(), false); err != nil || len(r.unreadable)+len(r.gone) > 0 {
		t.Fatal(r.unreadable, r.gone, err)
	}
	if diff := cmp.Diff([]string{"FX0000", "FX0001"}, listed(t, a, fax.Filter{})); diff != "" {
		t.Error(diff)
	}
	if got, err := a.ReadDocument(t.Context(), "FX0001"); err != nil || !bytes.Equal(got, d.docs["FX0001"]) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestReindexForgetsWhatIsGone(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 3)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	if err := os.Remove(filepath.Join(dir, "2026/11/23/FX0001.json")); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Reindex(t.Context()); err != nil || n.Entries != 2 || n.Dropped != 1 || len(n.Unreadable) > 0 {
		t.Errorf("%+v, %v", n, err)
	}
	if diff := cmp.Diff([]string{"FX0000", "FX0002"}, listed(t, a, fax.Filter{})); diff != "" {
		t.Error(diff)
	}
	if e, existed := save(t, a, d, faxes[1]); existed || e.Document == nil {
		t.Errorf("the lost one, saved again: existed %v, %+v", existed, e)
	}
}

func TestVerifyFinds(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 9)
	a := open(t, dir)
	saveAll(t, a, d, faxes)
	at := func(name string) string { return filepath.Join(dir, "2026/11/23", name) }
	flip := func(name string) error {
		data, err := os.ReadFile(at(name))
		if err != nil {
			return err
		}
		data[len(data)/2] ^= 1
		return os.WriteFile(at(name), data, 0o600)
	}
	if err := errors.Join(
		os.Remove(at("FX0000.pdf")),
		flip("FX0001.pdf"),
		os.Truncate(at("FX0002.pdf"), 100),
		os.WriteFile(at("FX0003.json"), []byte("{"), 0o600),
		os.Remove(at("FX0004.json")),
		errors.Join(os.Remove(at("FX0005.json")), os.Remove(at("FX0005.pdf"))),
		errors.Join(os.Remove(at("FX0006.pdf")), os.Mkdir(at("FX0006.pdf"), 0o700)),
		os.Rename(at("FX0007.json"), at("FX9999.json")),
	); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]error{
		"FX0000": problem.ErrNotFound, "FX0001": ErrDamagedCopy, "FX0002": ErrDamagedCopy, "FX0006": ErrDamagedCopy, "FX0008": nil,
	} {
		if doc, err := a.ReadDocument(t.Context(), id); !errors.Is(err, want) || (doc == nil) != (want != nil) || (want != nil) != (problem.AdviceOf(err).String() != "") {
			t.Errorf("reading %s: %d bytes, %v; want %v", id, len(doc), err, want)
		}
		sum := sha256.Sum256(d.docs[id])
		if has, err := a.HasDocument(t.Context(), id, hex.EncodeToString(sum[:])); err != nil || has != (want == nil) {
			t.Errorf("the document of %s is there: %v, %v", id, has, err)
		}
		if has, err := a.HasDocument(t.Context(), id, strings.Repeat("0", 64)); err != nil || has {
			t.Errorf("another document of %s is there: %v, %v", id, has, err)
		}
	}
	report, err := a.Verify(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, f := range report.Findings {
		got = append(got, strings.TrimPrefix(f.File, "2026/11/23/")+" "+string(f.Problem))
	}
	slices.Sort(got)
	want := []string{
		"FX0000.pdf missing", "FX0001.pdf changed", "FX0002.pdf changed", "FX0003.json unreadable",
		"FX0004.json missing", "FX0004.pdf orphan", "FX0005.json missing", "FX0006.pdf unreadable",
		"FX0007.json missing", "FX0007.pdf orphan", "FX9999.json unreadable",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if report.Documents != 1 || report.Entries != 5 {
		t.Errorf("%d documents, %d entries", report.Documents, report.Entries)
	}
}

// A run that was cut off leaves hidden files, and no others.
func TestLeftoversAreCleared(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 1)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	save(t, a, d, faxes[0])
	day := filepath.Join(dir, "2026/11/23")
	for _, name := range []string{".FX7777.part", ".FX7777.json.part", ".FX8888.part", ".FX8888.part.etag"} {
		if err := os.WriteFile(filepath.Join(day, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(a.index.Close(), a.turn.Close()); err != nil { // killed
		t.Fatal(err)
	}
	open(t, dir)
	got, err := filepath.Glob(filepath.Join(day, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(day, ".FX8888.part"), filepath.Join(day, ".FX8888.part.etag")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("left: %s", diff)
	}
}

// Where nothing can be written and the index is of no use, reading makes one
// of its own.
func TestReadWithoutWriting(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 3)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	saveAll(t, a, d, faxes)
	want := listed(t, a, fax.Filter{})
	if err := errors.Join(a.Close(t.Context()), os.Remove(filepath.Join(dir, indexFile)), os.Mkdir(filepath.Join(dir, indexFile), 0o700),
		os.WriteFile(filepath.Join(dir, indexFile, "in the way"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	r, err := Read(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, listed(t, r, fax.Filter{})); diff != "" {
		t.Error(diff)
	}
	if report, err := r.Verify(t.Context(), 2); err != nil || report.Documents != 3 || len(report.Findings) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
