package durabletest_test

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
)

// show is what is in a folder: names and contents.
func show(files fstest.MapFS) []string {
	all := []string{}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, name+" "+string(files[name].Data))
	}
	return all
}

// What was not synced is lost: content, names, the folders of names, and that a
// name is no more.
func TestPowerLoss(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	if err := os.WriteFile(at("was"), []byte("there"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := durabletest.NewRecorder(root)
	f, err := r.OpenFile(at("a"), os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	again, err := r.OpenFile(at("was"), os.O_WRONLY|os.O_APPEND)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	write := func(f io.Writer, s string) func() error {
		return func() error {
			_, err := io.WriteString(f, s)
			return err
		}
	}
	for _, step := range []struct {
		take        func() error
		least, most []string
	}{
		{write(f, "one two"), []string{"was there"}, []string{"a ", "was there"}},
		{f.Sync, []string{"was there"}, []string{"a one two", "was there"}},
		{func() error { return r.SyncDir(root) }, []string{"a one two", "was there"}, []string{"a one two", "was there"}},
		{func() error {
			_, err := f.Seek(4, io.SeekStart)
			return errors.Join(err, write(f, "2")())
		}, []string{"a one two", "was there"}, []string{"a one two", "was there"}},
		{func() error { return f.Truncate(5) }, []string{"a one two", "was there"}, []string{"a one two", "was there"}},
		{f.Sync, []string{"a one 2", "was there"}, []string{"a one 2", "was there"}},
		{write(again, " before"), []string{"a one 2", "was there"}, []string{"a one 2", "was there"}},
		{again.Sync, []string{"a one 2", "was there before"}, []string{"a one 2", "was there before"}},
		{func() error { return r.Mkdir(at("d")) }, []string{"a one 2", "was there before"}, []string{"a one 2", "d ", "was there before"}},
		{func() error { return r.Rename(at("a"), at("d/b")) }, []string{"a one 2", "was there before"}, []string{"d ", "d/b one 2", "was there before"}},
		{func() error { return r.SyncDir(at("d")) }, []string{"a one 2", "was there before"}, []string{"d ", "d/b one 2", "was there before"}},
		{func() error { return r.SyncDir(root) }, []string{"d ", "d/b one 2", "was there before"}, []string{"d ", "d/b one 2", "was there before"}},
		{func() error { return r.Remove(at("d/b")) }, []string{"d ", "d/b one 2", "was there before"}, []string{"d ", "was there before"}},
		{func() error { return r.SyncDir(at("d")) }, []string{"d ", "was there before"}, []string{"d ", "was there before"}},
	} {
		if err := step.take(); err != nil {
			t.Fatal(err)
		}
		least, most := r.PowerLoss(len(r.Steps()))
		if diff := cmp.Diff([][]string{step.least, step.most}, [][]string{show(least), show(most)}); diff != "" {
			t.Errorf("after %v: %s", r.Steps(), diff)
		}
	}
	if least, most := r.PowerLoss(0); len(least)+len(most) > 0 {
		t.Errorf("before all: %v, %v", least, most)
	}
}

// A step that fails is not taken.
func TestFail(t *testing.T) {
	root := t.TempDir()
	r := durabletest.NewRecorder(root)
	full := errors.New("full")
	r.Fail = func(s durabletest.Step) error {
		if s.String() == "mkdir d" {
			return full
		}
		return nil
	}
	if err := r.Mkdir(filepath.Join(root, "d")); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	r.Note("told so")
	if err := r.Mkdir(filepath.Join(root, "e")); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff("[told so mkdir e]", "["+r.Steps()[0].String()+" "+r.Steps()[1].String()+"]"); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(filepath.Join(root, "d")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it was made: %v", err)
	}
}
