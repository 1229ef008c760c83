package prune

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

func TestReceipts(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	want := []Receipt{
		{ID: "FX1", NumberTail: "0123", At: time.Unix(1, 0).UTC(), SHA256: "ab", Result: Deleted},
		{ID: "FX2", At: time.Unix(2, 0).UTC(), Result: Failed, Error: "no"},
	}
	for _, one := range want { // a second run appends
		r, err := OpenReceipts(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Write(one), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []Receipt
	for s := bufio.NewScanner(f); s.Scan(); {
		var r Receipt
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if st, err := f.Stat(); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

// An unfinished line is ended, and one that cannot be written is taken back, so
// that a line is never two halves.
func TestReceiptsAreWholeLines(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	if err := os.WriteFile(name, []byte(`{"id":"FX0","result":"deleted"}`+"\n"+`{"id":"FX`), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReceipts(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(Receipt{ID: "FX1", Result: Deleting}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.file.Write([]byte(`{"id":"F`)); err != nil { // a disk that was full
		t.Fatal(err)
	}
	if err := r.takeBack(len(`{"id":"F`)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Write(Receipt{ID: "FX1", Result: Deleted}), r.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(data)) {
		id, _, _ := strings.Cut(strings.TrimPrefix(line, `{"id":"`), `"`)
		if len(got) != 1 && !json.Valid([]byte(line)) {
			t.Errorf("line %q", line)
		}
		got = append(got, strings.TrimSpace(id))
	}
	if diff := cmp.Diff([]string{"FX0", "FX", "FX1", "FX1"}, got); diff != "" {
		t.Error(diff)
	}
}

// What comes at once is all there, each line whole.
func TestReceiptsSideBySide(t *testing.T) {
	name := filepath.Join(t.TempDir(), "receipts.jsonl")
	r, err := OpenReceipts(name)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if err := errors.Join(r.Write(Receipt{ID: "FX1", Result: Deleting}), r.Write(Receipt{ID: "FX1", Result: Deleted})); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile(name)
	if err != nil || strings.Count(string(data), "\n") != 100 || strings.Count(string(data), `"deleting"}`+"\n") != 50 {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestCheckReceipts(t *testing.T) {
	dir := t.TempDir()
	there, file := filepath.Join(dir, "there"), filepath.Join(dir, "file")
	if err := errors.Join(os.WriteFile(there, nil, 0o600), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for path, good := range map[string]bool{
		there: true, filepath.Join(dir, "new"): true,
		filepath.Join(dir, "no", "folder"): false, filepath.Join(file, "below"): false, dir: false,
	} {
		if err := CheckReceipts(path); (err == nil) != good {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got, err := os.ReadDir(dir); err != nil || len(got) != 2 {
		t.Errorf("something was made: %v, %v", got, err)
	}
}

// A receipt of a deletion that is about to begin is on the disk, or it is no
// receipt; so is the name of the file.
func TestReceiptsAreSynced(t *testing.T) {
	dir := t.TempDir()
	disk := durabletest.NewRecorder(dir)
	r, err := openReceipts(disk, filepath.Join(dir, "receipts"))
	if err != nil {
		t.Fatal(err)
	}
	left := func() *fstest.MapFile {
		least, _ := disk.PowerLoss(len(disk.Steps()))
		return least["receipts"]
	}
	if left() == nil {
		t.Error("the file has no name yet")
	}
	if err := r.Write(Receipt{ID: "FX1", Result: Deleting}); err != nil || !deleting(left(), "FX1") {
		t.Errorf("%v, %v", left(), err)
	}

	if err := r.Write(Receipt{ID: "FX9", Result: Removing}); err != nil || !strings.Contains(string(left().Data), `{"id":"FX9"`) {
		t.Errorf("%v, %v", left(), err)
	}

	disk.Fail = func(s durabletest.Step) error {
		if s.Op == durabletest.Sync {
			return syscall.EIO
		}
		return nil
	}
	if err := r.Write(Receipt{ID: "FX2", Result: Deleting}); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
	disk.Fail = nil // the next fsync says that all is well, though what was written before it is lost
	if err := errors.Join(r.Write(Receipt{ID: "FX3", Result: Deleting}), r.Close()); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v", err)
	}
}

// A line that was written while an fsync ran is not taken to be on the disk.
func TestReceiptsWrittenDuringASync(t *testing.T) {
	dir := t.TempDir()
	disk := durabletest.NewRecorder(dir)
	r, err := openReceipts(disk, filepath.Join(dir, "receipts"))
	if err != nil {
		t.Fatal(err)
	}
	syncs := 0
	disk.Fail = func(s durabletest.Step) error {
		if s.Op != durabletest.Sync {
			return nil
		}
		if syncs++; syncs > 1 {
			return nil
		}
		return r.Write(Receipt{ID: "FX2", Result: Failed})
	}
	if err := errors.Join(r.Write(Receipt{ID: "FX1", Result: Deleting}), r.Close()); err != nil || syncs != 2 {
		t.Errorf("%d fsyncs, %v", syncs, err)
	}
}

// deleting tells whether receipts have a line of the result [Deleting].
func deleting(receipts *fstest.MapFile, id string) bool {
	if receipts != nil {
		for line := range strings.Lines(string(receipts.Data)) {
			if strings.HasPrefix(line, `{"id":"`+id+`"`) && strings.HasSuffix(line, `"result":"deleting"}`+"\n") {
				return true
			}
		}
	}
	return false
}

// What holds something else is no file for receipts: a line at its end would spoil it.
func TestReceiptsOfTheirOwn(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		refused       bool
	}{
		{"nothing", "", false},
		{"receipts", `{"id":"FX0","result":"deleted"}` + "\n" + `{"id":"FX`, false},
		{"the first cut off", `{"id":"FX0","resu`, false},
		{"the first ended by a later run", `{"id":"FX0","resu` + "\n" + `{"id":"FX1","result":"deleted"}` + "\n", false},
		{"cut off at once", `{"`, false},
		{"a document", "%PDF-1.7\n%…\n", true},
		{"a sidecar", "{\n  \"format\": 1\n}\n", true},
		{"another object", `{"id":"FX0"}` + "\n", true},
		{"text", "notes", true},
		{"a long line", strings.Repeat("x", 1<<20), true},
	} {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		checked := CheckReceipts(name)
		r, opened := OpenReceipts(name)
		if opened == nil {
			opened = r.Close()
		}
		if errors.Is(checked, problem.ErrInvalid) != tt.refused || errors.Is(opened, problem.ErrInvalid) != tt.refused {
			t.Errorf("%s: %v, %v", tt.name, checked, opened)
		}
		if left, err := os.ReadFile(name); err != nil || tt.refused && string(left) != tt.content {
			t.Errorf("%s was touched: %v", tt.name, err)
		}
	}
}
