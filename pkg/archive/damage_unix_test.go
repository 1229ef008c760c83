//go:build unix

package archive

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func sidecarIn(dir, id string) string { return filepath.Join(dir, "2026/11/23", id+sidecarExt) }

// edit changes a sidecar as a person with an editor would.
func edit(t *testing.T, name string, change func(sidecar map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var sidecar map[string]any
	if err := json.Unmarshal(data, &sidecar); err != nil {
		t.Fatal(err)
	}
	change(sidecar)
	if data, err = json.Marshal(sidecar); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What stands in a sidecar counts, whatever the index says.
func TestHoldSetByHand(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	d, faxes := fill(t, 1)
	f := faxes[0]
	save(t, a, d, f)
	edit(t, sidecarIn(dir, f.ID), func(s map[string]any) { s["hold"] = Hold{Reason: "case 7", Since: time.Now()} })

	if e, found, _, err := a.Kept(t.Context(), f); err != nil || !found || e.Hold == nil {
		t.Errorf("before it is decided: %+v, %v, %v", e, found, err)
	}
	f.Price = &fax.Money{Amount: "0.01", Currency: "USD"} // so that the sidecar is written again
	if e, existed := save(t, a, d, f); existed || e.Hold == nil {
		t.Errorf("written again: existed %v, %+v", existed, e)
	}
	held, err := fax.Collect(a.Held(t.Context()))
	if err != nil || len(held) != 1 || held[0].Hold.Reason != "case 7" {
		t.Errorf("%+v, %v", held, err)
	}
	if _, err := a.Secure(t.Context(), d, f, false); !errors.As(err, new(*HeldError)) {
		t.Errorf("%v", err)
	}
}

// A sidecar that cannot be read is never written over, since it may tell of a
// hold; neither is its fax deleted.
func TestUnreadableSidecarStays(t *testing.T) {
	for name, harm := range map[string]func(name string) error{
		"cut off":     func(name string) error { return os.Truncate(name, 100) },
		"empty":       func(name string) error { return os.Truncate(name, 0) },
		"too large":   func(name string) error { return os.Truncate(name, mostSidecar+1) },
		"a pipe":      func(name string) error { return errors.Join(os.Remove(name), syscall.Mkfifo(name, 0o600)) },
		"a folder":    func(name string) error { return errors.Join(os.Remove(name), os.Mkdir(name, 0o700)) },
		"another fax": func(name string) error { return os.WriteFile(name, []byte(`{"fax":{"id":"FX9"}}`), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			d, faxes := fill(t, 2)
			f := faxes[0]
			a, err := Open(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			saveAll(t, a, d, faxes)
			_, err = a.Hold(t.Context(), f.ID, "lawsuit")
			if err := errors.Join(err, a.Close(t.Context()), harm(sidecarIn(dir, f.ID))); err != nil {
				t.Fatal(err)
			}
			f.Price = &fax.Money{Amount: "0.01", Currency: "USD"}
			// With the index, with one that was built anew, and without what it knew.
			for _, prepare := range []func(a *Archive) error{
				func(*Archive) error { return nil },
				func(a *Archive) error {
					done, err := a.Reindex(t.Context())
					// What is no file is not looked at: to the index it is gone.
					if !strings.HasPrefix(name, "a ") && (len(done.Unreadable) != 1 || done.Unreadable[0].ID != f.ID || done.Entries != 2) {
						t.Errorf("%+v", done)
					}
					return err
				},
				nil,
			} {
				if prepare == nil {
					if err := os.Remove(filepath.Join(dir, indexFile)); err != nil {
						t.Fatal(err)
					}
				}
				a, err := Open(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				if prepare != nil {
					if err := prepare(a); err != nil {
						t.Fatal(err)
					}
				}
				if _, _, _, err := a.Kept(t.Context(), f); !errors.Is(err, ErrDamagedCopy) {
					t.Errorf("looking: %v", err)
				}
				if _, _, err := a.Save(t.Context(), d, f); !errors.Is(err, ErrDamagedCopy) {
					t.Errorf("saving: %v", err)
				}
				if _, err := a.Secure(t.Context(), d, f, false); !errors.Is(err, ErrDamagedCopy) {
					t.Errorf("deleting: %v", err)
				}
				if _, err := decodeFile(sidecarIn(dir, f.ID)); err == nil {
					t.Error("it was written over")
				}
				if err := a.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func decodeFile(name string) (Entry, error) {
	if st, err := os.Stat(name); err != nil || !st.Mode().IsRegular() {
		return Entry{}, errors.Join(err, errors.New("no file"))
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return Entry{}, err
	}
	return decode(filepath.Base(name), data)
}

// One sidecar that cannot be read is no reason not to open an archive: the other
// entries are there, and Verify tells of it.
func TestOpenWithAnUnreadableSidecar(t *testing.T) {
	for opener, openIt := range map[string]func(context.Context, string) (*Archive, error){"open": Open, "read": Read} {
		t.Run(opener, func(t *testing.T) {
			dir := t.TempDir()
			d, faxes := fill(t, 4)
			a, err := Open(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			saveAll(t, a, d, faxes)
			if err := errors.Join(a.Close(t.Context()),
				os.Remove(filepath.Join(dir, indexFile)),
				os.Truncate(sidecarIn(dir, "FX0001"), mostSidecar+1),
				errors.Join(os.Remove(sidecarIn(dir, "FX0002")), os.Symlink("FX0002.json", sidecarIn(dir, "FX0002"))),
				syscall.Mkfifo(sidecarIn(dir, "FX7777"), 0o600),
				syscall.Mkfifo(filepath.Join(dir, "2026/11/23/FX7777.pdf"), 0o600),
			); err != nil {
				t.Fatal(err)
			}
			b, err := openIt(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"FX0000", "FX0003"}, listed(t, b, fax.Filter{})); diff != "" {
				t.Error(diff)
			}
			report, err := b.Verify(t.Context(), 2)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range report.Findings {
				got = append(got, f.ID+" "+string(f.Problem))
			}
			if diff := cmp.Diff([]string{"FX0001 unreadable", "FX0002 unreadable"}, got); diff != "" {
				t.Error(diff)
			}
			if err := b.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// After a run that was cut off, too, what is missing is missed.
func TestRecoveryForgetsNothing(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 3)
	a, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	saveAll(t, a, d, faxes)
	if err := errors.Join(a.flushRows(t.Context()), a.index.Close(), a.turn.Close(), // killed
		os.Remove(sidecarIn(dir, "FX0000")), os.Remove(filepath.Join(dir, "2026/11/23/FX0000.pdf")),
		os.Truncate(sidecarIn(dir, "FX0001"), 10)); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir)
	if diff := cmp.Diff([]string{"FX0000", "FX0001", "FX0002"}, listed(t, b, fax.Filter{})); diff != "" {
		t.Error(diff)
	}
	report, err := b.Verify(t.Context(), 1)
	if err != nil || len(report.Findings) != 2 || report.Findings[0].Problem != Missing || report.Findings[1].Problem != Unreadable {
		t.Errorf("%+v, %v", report, err)
	}
	if done, err := b.Reindex(t.Context()); err != nil || done.Dropped != 1 || done.Entries != 2 || len(done.Unreadable) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if diff := cmp.Diff([]string{"FX0001", "FX0002"}, listed(t, b, fax.Filter{})); diff != "" {
		t.Error(diff)
	}
}

// A sidecar with members that this program does not know may tell of a hold: it is
// shown, never written over, and its fax is not deleted.
func TestSidecarOfALaterVersion(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir)
	d, faxes := fill(t, 1)
	f := faxes[0]
	save(t, a, d, f)
	edit(t, sidecarIn(dir, f.ID), func(s map[string]any) { s["format"], s["from_the_future"] = 99, map[string]any{"kept": true} })
	before, err := os.ReadFile(sidecarIn(dir, f.ID))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := a.Kept(t.Context(), f); !errors.Is(err, ErrDamagedCopy) || !strings.Contains(problem.AdviceOf(err).String(), "newer faxctl") {
		t.Errorf("before it is decided: %v", err)
	}
	if _, err := a.Secure(t.Context(), d, f, false); !errors.Is(err, ErrDamagedCopy) {
		t.Errorf("%v", err)
	}
	if _, err := a.Hold(t.Context(), f.ID, "lawsuit"); !errors.Is(err, ErrDamagedCopy) {
		t.Errorf("held: %v", err)
	}
	changed := f
	changed.Price = &fax.Money{Amount: "0.01", Currency: "USD"}
	if _, _, err := a.Save(t.Context(), d, changed); !errors.Is(err, ErrDamagedCopy) {
		t.Errorf("saved: %v", err)
	}
	if after, err := os.ReadFile(sidecarIn(dir, f.ID)); err != nil || string(after) != string(before) {
		t.Errorf("written over: %s, %v", after, err)
	}

	if done, err := a.Reindex(t.Context()); err != nil || done.Entries != 1 || len(done.Unreadable) > 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if e, err := a.Get(t.Context(), f.ID); err != nil || e.Document == nil {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := a.ReadDocument(t.Context(), f.ID); err != nil {
		t.Error(err)
	}
	if report, err := a.Verify(t.Context(), 1); err != nil || len(report.Findings) > 0 || len(report.Notes) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A pipe in the place of a file of the archive keeps nobody waiting.
func TestPipesInAnArchive(t *testing.T) {
	for name, opens := range map[string]bool{markName: true, formatFile: false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			a, err := Open(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			pipe := filepath.Join(dir, name)
			if err := os.Remove(pipe); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			for what, open := range map[string]func(context.Context, string) (*Archive, error){"read": Read, "write": Open} {
				ended := make(chan error, 1)
				go func() {
					a, err := open(context.Background(), dir)
					if err == nil {
						err = a.Close(context.Background())
					}
					ended <- err
				}()
				select {
				case err := <-ended:
					if (err == nil) != opens {
						t.Errorf("%s: %v", what, err)
					}
				case <-time.After(time.Minute):
					t.Fatalf("%s waits", what)
				}
			}
		})
	}
}
