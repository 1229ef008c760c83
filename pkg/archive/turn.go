package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// turn is the right of one process to write. The lock file keeps others from
// writing. The mark, beside it, tells those who read how far the index is to be
// believed: while it says something, the writer that goes by that has not ended in
// order, and as long as it is locked, that writer is still there.
type turn struct {
	dir        string
	lock, mark durable.File
	name       string // that we go by: what the mark says
	unfinished bool   // the writer before did not end in order
}

const (
	lockName = ".lock"
	markName = ".writing"

	mostMark = 256                   // bytes of it that are read
	nextTry  = 20 * time.Millisecond // after which a lock is tried again
	silence  = time.Second           // after which it is told that it is waited for
)

// takeTurn waits for the turn. [ErrLocked]: another process has it. The mark is on
// the disk when it returns.
func (o Opener) takeTurn(ctx context.Context, disk durable.Disk, dir string) (*turn, error) {
	lock, err := o.takeLock(ctx, dir)
	if err != nil {
		return nil, err
	}
	t := &turn{dir: dir, lock: lock}
	if err := t.begin(disk); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return t, nil
}

// takeLock locks the lock file, and makes it where there is none.
func (o Opener) takeLock(ctx context.Context, dir string) (durable.File, error) {
	path := filepath.Join(dir, lockName)
	quiet := o.Wait
	if o.Waiting != nil {
		quiet = min(quiet, silence)
	}
	lock, err := durable.Lock(ctx, path, quiet)
	if errors.Is(err, durable.ErrTaken) && quiet < o.Wait {
		who, _ := readMark(dir)
		o.Waiting(who)
		lock, err = durable.Lock(ctx, path, o.Wait-quiet)
	}
	if errors.Is(err, durable.ErrTaken) {
		return nil, lockedOut(dir)
	}
	return lock, err
}

// lockedOut is what another writer means, which is told as far as it is known.
func lockedOut(dir string) error {
	who := ""
	if name, live := readMark(dir); live {
		who = fmt.Sprintf(" (%s)", name)
	}
	return problem.With(fmt.Errorf("archive %s: %w: %w%s", dir, problem.ErrConflict, ErrLocked, who),
		problem.Say("wait until it has finished and run this again; %s waits for it", problem.Field("wait", "10m")))
}

// errRemoved is a file of the turn that is no longer where it was.
var errRemoved = errors.New("it was removed, or replaced")

// named fails when an open file has lost its name to another, or to none.
func named(f durable.File, path string) error {
	open, err := f.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Lstat(path); err != nil || !os.SameFile(open, there) {
		return fmt.Errorf("%s: %w", path, errRemoved)
	}
	return nil
}

// begin says, for those who come after a loss of power as well, that we are writing.
// The mark is locked before it has its name: nobody takes what the one before it
// says for that of a writer who lives.
func (t *turn) begin(disk durable.Disk) error {
	before, live := readMark(t.dir)
	if live { // whoever removed the lock file did not end the writer that held it
		return lockedOut(t.dir)
	}
	t.unfinished = before != ""
	t.name = fmt.Sprintf("process %d on %s, since %s", os.Getpid(), hostname(), time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00"))
	path := filepath.Join(t.dir, markName)
	f, err := durable.Claim(disk, filepath.Join(t.dir, markName+".part"))
	if err != nil {
		return err
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.Write([]byte(t.name))
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = rename(disk, f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, disk.Remove(f.Name()), f.Close())
	}
	t.mark = f
	if err := disk.SyncDir(t.dir); err != nil {
		return errors.Join(err, f.Close())
	}
	return nil
}

func hostname() string {
	host, err := os.Hostname()
	if err != nil {
		return "an unknown host"
	}
	return host
}

// rename gives a file that is locked its name. Windows refuses that while somebody has the one
// before it open, which is no more than a moment.
func rename(disk durable.Disk, from, to string) error {
	for tries := 50; ; tries-- {
		err := disk.Rename(from, to)
		if err == nil || tries == 0 || !errors.Is(err, fs.ErrPermission) {
			return err
		}
		time.Sleep(nextTry)
	}
}

// check fails when a file of the turn was removed: others may be writing by now.
func (t *turn) check() error {
	err := named(t.lock, filepath.Join(t.dir, lockName))
	if err == nil {
		err = named(t.mark, filepath.Join(t.dir, markName))
	}
	if errors.Is(err, errRemoved) {
		return problem.With(fmt.Errorf("archive %s: %w: its lock is lost: %w", t.dir, problem.ErrConflict, err),
			problem.Say("leave the hidden files of an archive where they are, and run this again"))
	}
	return err
}

// finish says that nobody is writing. If that is lost, it is looked for in vain what
// is missing in the index.
func (t *turn) finish() error { return t.mark.Truncate(0) }

// Close gives the turn back.
func (t *turn) Close() error { return errors.Join(t.mark.Close(), t.lock.Close()) }

// written reports whether a process writes to the archive, as far as that is known.
func (a *Archive) written() bool {
	if a.shared {
		return true
	}
	_, live := readMark(a.dir)
	return live
}

// readMark is what the mark of an archive says: the name of a writer that began and
// did not end, and whether it is there still. Empty: nobody began. It waits for
// nobody, and keeps nobody from writing.
func readMark(dir string) (name string, live bool) {
	f, err := durable.OpenRegular(filepath.Join(dir, markName), os.Lstat)
	if errors.Is(err, os.ErrNotExist) {
		return "", false
	} else if err != nil {
		return err.Error(), false // of a writer that nobody goes by
	}
	defer f.Close() //nolint:errcheck // only read
	free, err := durable.TryShare(f)
	if err != nil {
		return err.Error(), false
	}
	text, err := io.ReadAll(io.LimitReader(f, mostMark))
	if err != nil {
		return err.Error(), false
	}
	return string(text), !free && len(text) > 0
}
