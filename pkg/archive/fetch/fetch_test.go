package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/durable/durabletest"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// A server answers one fax's document.
type server struct {
	fax.Faxes
	body    []byte
	etag    string
	noRange bool   // offsets are ignored
	size    int64  // announced; 0: the truth, -1: not
	breaks  []int  // each connection ends with an error after so many bytes
	clean   bool   // ... or without one
	then    []byte // what it is from the second connection on; nil: the same
	err     error  // instead of a document

	mu    sync.Mutex
	asked []int64 // offsets
}

func (s *server) Open(_ context.Context, _ fax.Fax, offset int64) (fax.Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, offset)
	if s.err != nil {
		return fax.Document{}, s.err
	}
	if s.noRange {
		offset = 0
	}
	if offset >= int64(len(s.body)) && offset > 0 {
		return fax.Document{}, fmt.Errorf("range: %w", problem.ErrInvalid)
	}
	if len(s.asked) > 1 && s.then != nil {
		s.body = s.then
	}
	size := s.size
	if size == 0 {
		size = int64(len(s.body))
	}
	var r io.Reader = bytes.NewReader(s.body[offset:])
	if len(s.breaks) > 0 {
		r = io.LimitReader(r, int64(s.breaks[0]))
		if !s.clean {
			r = io.MultiReader(r, broken{})
		}
		s.breaks = s.breaks[1:]
	}
	return fax.Document{Body: io.NopCloser(r), Offset: offset, Size: size, ETag: s.etag}, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// sheet is a document of so many pages.
func sheet(t testing.TB, kind paper.Kind, pages int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Write(&b, kind, paper.Sheet{From: "+14155550100", To: "+14155550123", Pages: pages}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// long is a document of about so many bytes.
func long(t testing.TB, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Write(&b, paper.PDF, paper.Sheet{Pages: 40, Bytes: size}); err != nil {
		t.Fatal(err)
	}
	if b.Len() < size*3/4 {
		t.Fatalf("a document of %d bytes is not long", b.Len())
	}
	return b.Bytes()
}

func record(pages int) fax.Fax {
	return fax.Fax{ID: "FX1", Status: fax.Received, MediaID: "ME1", Pages: &pages, Created: time.Date(2026, 11, 23, 12, 34, 56, 0, time.UTC)}
}

// names lists a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// noPages is a whole PDF file with an empty page tree.
const noPages = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n" +
	"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000054 00000 n \ntrailer\n<</Size 3/Root 1 0 R>>\nstartxref\n100\n%%EOF\n"

func TestSave(t *testing.T) {
	pdf, tiff := sheet(t, paper.PDF, 3), sheet(t, paper.TIFF, 3)
	other := bytes.Replace(pdf, []byte("%PDF-1.4"), []byte("%PDF-1.5"), 1)
	longer := append(bytes.Clone(other), '\n')
	var incomplete *IncompleteError
	var none *NotDocumentError
	var pages *PagesError
	for _, tc := range []struct {
		name   string
		server *server
		pages  int // of the record
		as     any // the error's type
		is     error
		says   string
		files  []string // afterwards
		asked  []int64
	}{
		{name: "a PDF", server: &server{body: pdf}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0}},
		{name: "a TIFF", server: &server{body: tiff}, pages: 3, files: []string{"doc.tiff"}, asked: []int64{0}},
		{name: "no pages at all", server: &server{body: []byte(noPages)}, pages: 1, as: &pages, is: problem.ErrConflict, says: "incomplete document: 0 of 1 pages", asked: []int64{0}},
		{name: "no pages, as recorded", server: &server{body: []byte(noPages)}, files: []string{"doc.pdf"}, asked: []int64{0}},
		{name: "pages that cannot be counted", server: &server{body: []byte("%PDF-1.4\nhello\nstartxref\n9\n%%EOF\n")}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0}},
		{name: "more pages than recorded", server: &server{body: pdf}, pages: 2, files: []string{"doc.pdf"}, asked: []int64{0}},
		{name: "length not announced", server: &server{body: pdf, size: -1}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0}},
		{name: "a broken connection is continued", server: &server{body: pdf, etag: `"v1"`, breaks: []int{1000, 500}}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0, 1000, 1500}},
		{name: "a broken connection, and nothing says that it is the same document", server: &server{body: pdf, breaks: []int{1000}}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0, 0}},
		{name: "a weak tag, and another document", server: &server{body: pdf, then: other, etag: `W/"v1"`, breaks: []int{1000}}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0, 0}},
		{name: "what is no tag, and another document", server: &server{body: pdf, then: other, etag: "v1", breaks: []int{1000}}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0, 0}},
		{name: "a strong tag, and another length", server: &server{body: pdf, then: longer, etag: `"v1"`, breaks: []int{1000}}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0, 1000, 0}},
		{name: "a short answer is continued", server: &server{body: pdf, etag: `"v1"`, breaks: []int{1000}, clean: true}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0, 1000}},
		{name: "a server without ranges starts over", server: &server{body: pdf, etag: `"v1"`, noRange: true, breaks: []int{1000, 2000}}, pages: 3, files: []string{"doc.pdf"}, asked: []int64{0, 1000, 2000}},
		{name: "a server that never gets far", server: &server{body: pdf, etag: `"v1"`, noRange: true, breaks: []int{1000, 1000, 1000, 1000, 1000, 1000}}, pages: 3,
			as: &incomplete, is: problem.ErrUnavailable, says: "incomplete document: 1000 of", asked: []int64{0, 1000, 1000, 1000}},
		{name: "cut without an announced length", server: &server{body: pdf[:len(pdf)/2], size: -1}, pages: 3, as: &incomplete, is: problem.ErrUnavailable, says: "incomplete document"},
		{name: "longer than announced", server: &server{body: pdf, size: 100}, pages: 3, as: &none, is: problem.ErrUnavailable},
		{name: "an error page", server: &server{body: []byte("<html><body>502 Bad Gateway</body></html>")}, pages: 1, as: &none, is: problem.ErrUnavailable, says: "HTML"},
		{name: "an XML answer", server: &server{body: []byte("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>")}, pages: 1, as: &none, is: problem.ErrUnavailable, says: "XML"},
		{name: "nothing", server: &server{body: nil, size: -1}, pages: 1, as: &none, is: problem.ErrUnavailable},
		{name: "pages missing", server: &server{body: pdf}, pages: 5, as: &pages, is: problem.ErrConflict, says: "3 of 5 pages"},
		{name: "gone", server: &server{err: fmt.Errorf("media: %w", problem.ErrNotFound)}, is: problem.ErrNotFound, asked: []int64{0}},
		{name: "refused", server: &server{err: fmt.Errorf("media: %w", problem.ErrAuth)}, is: problem.ErrAuth, asked: []int64{0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new", "folder")
			got, err := Save(t.Context(), tc.server, record(tc.pages), Target{Dir: dir, Base: "doc"}, Options{})
			if !errors.Is(err, tc.is) || (err == nil) != (tc.is == nil) {
				t.Fatalf("error %v, want %v", err, tc.is)
			}
			if tc.as != nil && !errors.As(err, tc.as) {
				t.Errorf("error %#v is no %T", err, tc.as)
			}
			if err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %q does not say %q", err, tc.says)
			}
			want := tc.files
			if want == nil {
				want = []string{}
			}
			if diff := cmp.Diff(want, names(t, dir)); diff != "" {
				t.Errorf("files: %s", diff)
			}
			if diff := cmp.Diff(tc.asked, tc.server.asked); tc.asked != nil && diff != "" {
				t.Errorf("offsets: %s", diff)
			}
			if err == nil {
				whole(t, got, tc.server.body)
			}
		})
	}
}

// Two ids of which one name would be made are two documents: neither is taken for the other's.
func TestSaveTakesNoOtherFaxForIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	name, err := ParseName("{id}")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{body: sheet(t, paper.PDF, 3)}
	for _, id := range []string{"a_b", "a/b", "a:b", "..", "", strings.Repeat("a", 65)} {
		f := record(3)
		f.ID = id
		if got, err := Save(t.Context(), s, f, Target{Dir: dir, Base: name.Base(f)}, Options{}); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%q is saved as %+v, %v", id, got, err)
		}
	}
	if _, err := os.Lstat(dir); len(s.asked) > 0 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%d requests, and the folder: %v", len(s.asked), err)
	}
	for _, id := range []string{"FX0123456789abcdef0123456789abcdef", "0f1e2d3c-0000-4000-8000-0123456789ab"} {
		f := record(3)
		f.ID = id
		if got, err := Save(t.Context(), s, f, Target{Dir: dir, Base: name.Base(f)}, Options{}); err != nil || got.Existed {
			t.Errorf("%q: %+v, %v", id, got, err)
		}
	}
}

// whole checks a saved file against its content.
func whole(t *testing.T, got File, content []byte) {
	t.Helper()
	data, err := os.ReadFile(got.Path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if !bytes.Equal(data, content) || got.Size != int64(len(content)) || got.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%s is not what was served: %d bytes, sha256 %s", got.Path, got.Size, got.SHA256)
	}
	if st, err := os.Lstat(got.Path); err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", st.Mode(), err)
	}
}

func TestSaveLeavesAWholeFileAlone(t *testing.T) {
	dir := t.TempDir()
	pdf := sheet(t, paper.PDF, 3)
	s := &server{body: pdf}
	to := Target{Dir: dir, Base: "doc"}
	for range 2 {
		if _, err := Save(t.Context(), s, record(3), to, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Save(t.Context(), s, record(3), to, Options{})
	if err != nil || !got.Existed || len(s.asked) != 1 {
		t.Errorf("existed %v, %d requests, %v", got.Existed, len(s.asked), err)
	}
	whole(t, got, pdf)

	// Half a file, or one with too few pages, is no such file.
	for name, content := range map[string][]byte{"cut": pdf[:len(pdf)/2], "other": []byte("<html>"), "short": sheet(t, paper.PDF, 2)} {
		if err := os.WriteFile(got.Path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := Save(t.Context(), s, record(3), to, Options{})
		if err != nil || again.Existed {
			t.Errorf("%s: existed %v, %v", name, again.Existed, err)
		}
		whole(t, again, pdf)
	}

	// A name that says nothing of the fax proves nothing.
	to.Replace, to.Ext = true, ".pdf"
	before := len(s.asked)
	if again, err := Save(t.Context(), s, record(3), to, Options{}); err != nil || again.Existed || len(s.asked) != before+1 {
		t.Errorf("replace: existed %v, %v", again.Existed, err)
	}
}

// A later run continues a long download, if it is surely of the same document.
func TestSaveContinuesAnEarlierRun(t *testing.T) {
	long := long(t, 2*resumable)
	const got = resumable + 1000
	stop := []int{got, 0, 0, 0}
	nothing := func(string) error { return nil }
	for _, tc := range []struct {
		name      string
		meanwhile func(part string) error
		next      *server
		asked     []int64
	}{
		{"the same document", nothing, &server{body: long, etag: `"v1"`}, []int64{got}},
		{"another version", nothing, &server{body: long, etag: `"v2"`}, []int64{got, 0}},
		{"another length", nothing, &server{body: append(bytes.Clone(long), '\n'), etag: `"v1"`}, []int64{got, 0}},
		{"the same weak tag", nothing, &server{body: long, etag: `W/"v1"`}, []int64{got, 0}},
		{"no ranges", nothing, &server{body: long, etag: `"v1"`, noRange: true}, []int64{got}},
		{"a loss of power left zeros in the part", func(part string) error { return overwrite(part, 1000, make([]byte, 200<<10)) }, &server{body: long, etag: `"v1"`}, []int64{0}},
		{"the end of the part is lost", func(part string) error { return os.Truncate(part, 1000) }, &server{body: long, etag: `"v1"`}, []int64{0}},
		{"more was written before the power was lost", func(part string) error { return overwrite(part, got, make([]byte, 5000)) }, &server{body: long, etag: `"v1"`}, []int64{got}},
		{"the note is cut off", func(part string) error { return os.Truncate(part+".etag", 20) }, &server{body: long, etag: `"v1"`}, []int64{0}},
		{"the note is lost", func(part string) error { return os.Remove(part + ".etag") }, &server{body: long, etag: `"v1"`}, []int64{0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			part := filepath.Join(dir, ".doc.part")
			first := &server{body: long, etag: `"v1"`, breaks: slices.Clone(stop)}
			d := record(0)
			if _, err := Get(t.Context(), first, d, part, Options{}); !errors.Is(err, problem.ErrUnavailable) {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{".doc.part", ".doc.part.etag"}, names(t, dir)); diff != "" {
				t.Fatal(diff)
			}
			if err := tc.meanwhile(part); err != nil {
				t.Fatal(err)
			}
			p, err := Get(t.Context(), tc.next, d, part, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(p.Sync(), p.Rename(filepath.Join(dir, "doc.pdf"))); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.asked, tc.next.asked); diff != "" {
				t.Errorf("offsets: %s", diff)
			}
			if diff := cmp.Diff([]string{"doc.pdf"}, names(t, dir)); diff != "" {
				t.Error(diff)
			}
			whole(t, p.file(filepath.Join(dir, "doc.pdf")), tc.next.body)
		})
	}
}

func overwrite(path string, offset int64, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, offset)
	return errors.Join(err, f.Close())
}

// What has no tag that is sure of it is not worth keeping.
func TestSaveKeepsNoPartOfAWeakTag(t *testing.T) {
	dir := t.TempDir()
	first := &server{body: long(t, 2*resumable), etag: `W/"v1"`, breaks: []int{resumable + 1000, 0, 0, 0}}
	if _, err := Get(t.Context(), first, record(0), filepath.Join(dir, ".doc.part"), Options{}); !errors.Is(err, problem.ErrUnavailable) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// A run that is killed in the middle is continued where it last took note.
func TestSaveContinuesAKilledRun(t *testing.T) {
	doc := long(t, 4*resumable)
	dir := t.TempDir()
	part := filepath.Join(dir, ".doc.part")
	killed := filepath.Join(dir, ".killed.part")
	had := 0
	first, err := Get(t.Context(), &server{body: doc, etag: `"v1"`}, record(0), part, Options{Progress: func(n int) {
		if had += n; had < 5*resumable/2 {
			return
		}
		for _, ext := range []string{"", ".etag"} { // what is on the disk at this moment
			data, err := os.ReadFile(part + ext)
			if err == nil {
				err = os.WriteFile(killed+ext, data, 0o600)
			}
			if err != nil {
				t.Error(err)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{body: doc, etag: `"v1"`}
	second, err := Get(t.Context(), s, record(0), killed, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Rename(filepath.Join(dir, "first")), second.Rename(filepath.Join(dir, "second"))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"first", "second"}, names(t, dir)); diff != "" {
		t.Errorf("notes are left: %s", diff)
	}
	if len(s.asked) != 1 || s.asked[0] < 2*resumable {
		t.Errorf("asked for %d; it had noted %d at the least", s.asked, 2*resumable)
	}
}

func TestSaveStopsWithTheContext(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s := &server{body: sheet(t, paper.PDF, 3), breaks: []int{100, 100, 100, 100}}
	_, err := Save(ctx, s, record(3), Target{Dir: dir, Base: "doc"}, Options{Progress: func(int) { cancel() }})
	if !errors.Is(err, context.Canceled) || len(s.asked) != 1 {
		t.Errorf("%v after %d requests", err, len(s.asked))
	}
	if diff := cmp.Diff([]string{}, names(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// A document that cannot be written, synced or named is not there.
func TestSaveOnAFullDisk(t *testing.T) {
	for _, op := range []durabletest.Op{durabletest.Write, durabletest.Sync, durabletest.Rename} {
		dir := t.TempDir()
		disk := durabletest.NewRecorder(dir)
		disk.Fail = func(s durabletest.Step) error {
			if s.Op == op {
				return syscall.ENOSPC
			}
			return nil
		}
		if _, err := Save(t.Context(), &server{body: sheet(t, paper.PDF, 3)}, record(3), Target{Dir: dir, Base: "doc"}, Options{Disk: disk}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: got %v", op, err)
		}
		if diff := cmp.Diff([]string{}, names(t, dir)); diff != "" {
			t.Errorf("%s: %s", op, diff)
		}
	}
}

// Whenever the power fails, a document with its name is whole, and one that was
// saved is there.
func TestPowerLoss(t *testing.T) {
	dir := t.TempDir()
	disk := durabletest.NewRecorder(dir)
	pdf := long(t, 2*resumable)
	to := Target{Dir: filepath.Join(dir, "new"), Base: "doc"}
	if _, err := Save(t.Context(), &server{body: pdf, etag: `"v1"`, breaks: []int{resumable}}, record(0), to, Options{Disk: disk}); err != nil {
		t.Fatal(err)
	}
	steps := disk.Steps()
	for n := range len(steps) + 1 {
		least, most := disk.PowerLoss(n)
		for _, left := range []fstest.MapFS{least, most} {
			got, there := left["new/doc.pdf"]
			if there && !bytes.Equal(got.Data, pdf) || !there && n == len(steps) {
				t.Errorf("after %v: there %v", steps[:n], there)
			}
		}
	}
}

// What others put in the place of a document is not written to, not trusted, and
// not left for all to read.
func TestSaveWhatIsPlanted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links take a privilege, and there are no modes")
	}
	pdf := long(t, 2*resumable)
	open := func(path string) error {
		return errors.Join(os.WriteFile(path, pdf, 0o600), os.Chmod(path, 0o666))
	}
	for _, tc := range []struct {
		name    string
		plant   func(dir string) error
		existed bool
	}{
		{"a link for a part", func(dir string) error { return os.Symlink("victim", filepath.Join(dir, ".doc.part")) }, false},
		{"a link for a note", func(dir string) error { return os.Symlink("victim", filepath.Join(dir, ".doc.part.etag")) }, false},
		{"an open part", func(dir string) error { return open(filepath.Join(dir, ".doc.part")) }, false},
		{"an open document", func(dir string) error { return open(filepath.Join(dir, "doc.pdf")) }, true},
		{"a link for a document", func(dir string) error {
			return errors.Join(open(filepath.Join(dir, "other.pdf")), os.Symlink("other.pdf", filepath.Join(dir, "doc.pdf")))
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			victim := filepath.Join(dir, "victim")
			if err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o600), tc.plant(dir)); err != nil {
				t.Fatal(err)
			}
			s := &server{body: pdf, etag: `"v1"`}
			got, err := Save(t.Context(), s, record(1), Target{Dir: dir, Base: "doc"}, Options{})
			if err != nil || got.Existed != tc.existed {
				t.Fatalf("existed %v, %v", got.Existed, err)
			}
			whole(t, got, pdf)
			if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
				t.Errorf("the victim is %q, %v", data, err)
			}
		})
	}
}

func TestCopyWritesOnlyWholeDocuments(t *testing.T) {
	var out bytes.Buffer
	pdf := sheet(t, paper.PDF, 2)
	if _, err := Copy(t.Context(), &server{body: pdf}, record(2), &out, Options{}); err != nil || !bytes.Equal(out.Bytes(), pdf) {
		t.Errorf("%d bytes of %d, %v", out.Len(), len(pdf), err)
	}
	out.Reset()
	if _, err := Copy(t.Context(), &server{body: []byte("<html>")}, record(2), &out, Options{}); err == nil || out.Len() > 0 {
		t.Errorf("%d bytes of an error page, %v", out.Len(), err)
	}
}
