package receiver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// answered notes that an answer goes out.
type answered struct {
	*httptest.ResponseRecorder
	disk *durabletest.Recorder
}

func (w answered) WriteHeader(status int) {
	w.disk.Note(http.StatusText(status))
	w.ResponseRecorder.WriteHeader(status)
}

// Whenever the power fails, a document that came along and was answered for is
// there whole, and under its name it is never there in part.
func TestPowerLossAfterAnUpload(t *testing.T) {
	root := t.TempDir()
	disk := durabletest.NewRecorder(root)
	s := newStation(t, func(c *receiver.Config) { c.StateDir, c.Disk = root+"/new/state", disk })
	w := answered{httptest.NewRecorder(), disk}
	id := faxID(1)
	s.Handler().ServeHTTP(w, multi(callbackForm(id), part{"Media", "fax.pdf", document(id)}))
	if w.Code != http.StatusNoContent {
		t.Fatalf("answered %d", w.Code)
	}
	steps := disk.Steps()
	told := false
	for n := range len(steps) + 1 {
		told = told || n > 0 && steps[n-1].String() == http.StatusText(http.StatusNoContent)
		least, most := disk.PowerLoss(n)
		for _, left := range []fstest.MapFS{least, most} {
			kept := 0
			for name, file := range left {
				if !strings.HasSuffix(name, ".pdf") {
					continue
				}
				kept++
				if string(file.Data) != document(id) || !strings.HasPrefix(name, "new/state/incoming/") {
					t.Errorf("after %v %s is %q", steps[:n], name, file.Data)
				}
			}
			if told && kept != 1 {
				t.Errorf("after %v there are %d documents", steps[:n], kept)
			}
		}
	}
	if !told {
		t.Errorf("no answer among %v", steps)
	}
}

// An upload that the disk does not take is not answered for, and leaves nothing.
func TestUploadOnABrokenDisk(t *testing.T) {
	root := t.TempDir()
	disk := durabletest.NewRecorder(root)
	s := newStation(t, func(c *receiver.Config) { c.StateDir, c.Disk = root, disk })
	s.state = root
	for _, op := range []durabletest.Op{durabletest.Make, durabletest.Write, durabletest.Sync, durabletest.Rename, durabletest.SyncDir} {
		disk.Fail = func(s durabletest.Step) error {
			if s.Op == op {
				return syscall.EIO
			}
			return nil
		}
		id := faxID(1)
		if w := s.do(multi(callbackForm(id), part{"Media", "fax.pdf", document(id)})); w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: answered %d", op, w.Code)
		}
		if left := documents(t, s.state); len(left) > 0 {
			t.Errorf("%s: left are %v", op, left)
		}
	}
}
