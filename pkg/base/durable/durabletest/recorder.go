// Package durabletest has a disk that loses power.
//
// Give a [Recorder] to what must not lose anything, let it work, and ask with
// [Recorder.PowerLoss] what would be there if the power had failed after each of
// its [Recorder.Steps]. [Recorder.Note] puts in between what the world outside was
// told meanwhile.
package durabletest

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/faxctl/faxctl/pkg/base/durable"
)

// Op is what a step does.
type Op string

// The steps that a disk knows. The Op of a note is its text.
const (
	Make     Op = "make"     // a file
	Found    Op = "found"    // a file that was there, whole and on the disk
	Write    Op = "write"    // to a file
	Truncate Op = "truncate" // a file
	Sync     Op = "sync"     // a file
	Rename   Op = "rename"
	Remove   Op = "remove"
	Mkdir    Op = "mkdir"
	SyncDir  Op = "sync folder"
)

// Step is one that was taken.
type Step struct {
	Op       Op
	Path, To string // below the recorder's folder, separated by slashes; To of a rename

	file *node
	at   int64 // where was written, or the new size; bytes
	data []byte
}

// String is as in "rename .doc.part doc.pdf".
func (s Step) String() string {
	return strings.TrimRight(string(s.Op)+" "+s.Path+" "+s.To, " ")
}

// node is a file or a folder, whatever its name is.
type node struct {
	path   string // its name now
	folder bool
}

// Recorder is the disk of the operating system, for what lies in one folder, which
// remembers all steps. Safe for concurrent use; steps are taken one after another.
type Recorder struct {
	// Fail, unless nil, is asked before each step. An error keeps the step from
	// being taken, and is what it comes to. Set it while nobody uses the disk.
	Fail func(Step) error

	root  string
	disk  durable.OS
	mu    sync.Mutex
	names map[string]*node
	steps []Step
}

var _ durable.Disk = (*Recorder)(nil)

// NewRecorder records what happens in root, a folder that was made to last. What
// others make in it meanwhile, and folders that were in it before, are not seen.
func NewRecorder(root string) *Recorder {
	return &Recorder{root: root, names: map[string]*node{}}
}

// Steps are those taken so far.
func (r *Recorder) Steps() []Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.steps)
}

// Note adds a step that is none of the disk's, such as an answer that was sent.
func (r *Recorder) Note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, Step{Op: Op(text)})
}

// take carries a step out and remembers it.
func (r *Recorder) take(s Step, carryOut func(*Step) error) error {
	if r.Fail != nil {
		if err := r.Fail(s); err != nil {
			return &fs.PathError{Op: string(s.Op), Path: s.Path, Err: err}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	err := carryOut(&s)
	if err == nil {
		r.steps = append(r.steps, s)
	}
	return err
}

// below is a path as steps have it.
func (r *Recorder) below(name string) string {
	rel, err := filepath.Rel(r.root, name)
	if err != nil {
		return ".."
	}
	return filepath.ToSlash(rel)
}

// OpenFile implements durable.Disk. O_TRUNC is not known to it.
func (r *Recorder) OpenFile(name string, flag int) (durable.File, error) {
	f := &file{r: r, appends: flag&os.O_APPEND != 0}
	err := r.take(Step{Op: Make, Path: r.below(name)}, func(s *Step) (err error) {
		was, unread := os.ReadFile(name)
		if f.File, err = r.disk.OpenFile(name, flag); err != nil {
			return err
		}
		if f.node = r.names[s.Path]; unread == nil {
			s.Op, s.data = Found, was
		}
		if f.node == nil || s.Op == Make {
			f.node = &node{path: s.Path}
			r.names[s.Path], s.file = f.node, f.node
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Rename implements durable.Disk.
func (r *Recorder) Rename(from, to string) error {
	return r.take(Step{Op: Rename, Path: r.below(from), To: r.below(to)}, func(s *Step) error {
		err := r.disk.Rename(from, to)
		if n := r.names[s.Path]; err == nil && n != nil {
			delete(r.names, s.Path)
			r.names[s.To], n.path = n, s.To
		}
		return err
	})
}

// Remove implements durable.Disk.
func (r *Recorder) Remove(name string) error {
	return r.take(Step{Op: Remove, Path: r.below(name)}, func(s *Step) error {
		err := r.disk.Remove(name)
		if err == nil {
			delete(r.names, s.Path)
		}
		return err
	})
}

// Mkdir implements durable.Disk.
func (r *Recorder) Mkdir(dir string) error {
	rel := r.below(dir)
	return r.take(Step{Op: Mkdir, Path: rel, file: &node{path: rel, folder: true}}, func(*Step) error { return r.disk.Mkdir(dir) })
}

// SyncDir implements durable.Disk. Nothing waits for the machine's own disk.
func (r *Recorder) SyncDir(dir string) error {
	return r.take(Step{Op: SyncDir, Path: r.below(dir)}, func(*Step) error {
		_, err := os.Stat(dir)
		return err
	})
}

// file is an open file of a recorder.
type file struct {
	durable.File
	r       *Recorder
	node    *node
	appends bool
}

// step is one with this file.
func (f *file) step(op Op) Step {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	return Step{Op: op, Path: f.node.path, file: f.node}
}

// Write implements durable.File.
func (f *file) Write(p []byte) (n int, err error) {
	err = f.r.take(f.step(Write), func(s *Step) (err error) {
		if s.at, err = f.Seek(0, io.SeekCurrent); err != nil {
			return err
		}
		if f.appends {
			s.at = -1
		}
		n, err = f.File.Write(p)
		s.data = bytes.Clone(p[:n])
		return err
	})
	return n, err
}

// Truncate implements durable.File.
func (f *file) Truncate(size int64) error {
	return f.r.take(f.step(Truncate), func(s *Step) error {
		s.at = size
		return f.File.Truncate(size)
	})
}

// Sync implements durable.File, as [Recorder.SyncDir] does.
func (f *file) Sync() error {
	return f.r.take(f.step(Sync), func(*Step) error {
		_, err := f.Stat()
		return err
	})
}

// PowerLoss is what is left in the folder when the power fails after the first so
// many steps. Files have the content that was synced. Those are there, at least,
// whose folder was synced since they got their name; at most, all names have come
// to the disk by themselves, as those of a journal do, in their order.
func (r *Recorder) PowerLoss(steps int) (least, most fstest.MapFS) {
	left := contents{now: map[*node][]byte{}, synced: map[*node][]byte{}, names: map[string]*node{}, last: map[string]*node{}}
	for _, s := range r.Steps()[:steps] {
		left.take(s)
	}
	return left.files(left.last), left.files(left.names)
}

// contents are those of a disk.
type contents struct {
	now, synced map[*node][]byte
	names, last map[string]*node // as they are, and as they were made to last
}

func (c *contents) take(s Step) {
	switch s.Op {
	case Found:
		if s.file != nil { // otherwise it is known
			c.names[s.Path], c.last[s.Path] = s.file, s.file
			c.now[s.file], c.synced[s.file] = s.data, s.data
		}
	case Make, Mkdir:
		c.names[s.Path] = s.file
	case Write:
		c.write(s)
	case Truncate:
		c.now[s.file] = resize(c.now[s.file], s.at)
	case Sync:
		c.synced[s.file] = c.now[s.file]
	case Rename:
		if n := c.names[s.Path]; n != nil {
			c.names[s.To] = n
			delete(c.names, s.Path)
		}
	case Remove:
		delete(c.names, s.Path)
	case SyncDir:
		for name := range c.last {
			if path.Dir(name) == s.Path {
				delete(c.last, name)
			}
		}
		for name, n := range c.names {
			if path.Dir(name) == s.Path {
				c.last[name] = n
			}
		}
	}
}

func (c *contents) write(s Step) {
	was := c.now[s.file]
	if s.at < 0 {
		s.at = int64(len(was))
	}
	now := resize(was, max(int64(len(was)), s.at+int64(len(s.data))))
	copy(now[s.at:], s.data)
	c.now[s.file] = now
}

// resize is a copy with so many bytes.
func resize(was []byte, size int64) []byte {
	now := make([]byte, size)
	copy(now, was)
	return now
}

// files are those that can be reached by these names.
func (c *contents) files(names map[string]*node) fstest.MapFS {
	all := fstest.MapFS{}
	for name, n := range names {
		dir := path.Dir(name)
		for dir != "." && names[dir] != nil {
			dir = path.Dir(dir)
		}
		switch {
		case dir != ".":
		case n.folder:
			all[name] = &fstest.MapFile{Mode: fs.ModeDir | 0o700}
		default:
			all[name] = &fstest.MapFile{Data: c.synced[n], Mode: 0o600}
		}
	}
	return all
}
