package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Receiver is what receives the faxes of an account into an archive, as the archive
// knows it: by its id. The rest is for people.
type Receiver struct {
	ID      string    `json:"id"`
	State   string    `json:"state"` // the folder of it; of replicas, what one of them keeps beside the database
	Host    string    `json:"host"`
	Process int       `json:"process"`
	Since   time.Time `json:"since"`

	// Database is the URL, without a secret, where replicas have their state; "": none.
	Database string `json:"database,omitempty"`
}

// NewReceiver is a receiver with its state in a folder, as this process that begins
// now.
func NewReceiver(id, state string) Receiver {
	if whole, err := filepath.Abs(state); err == nil {
		state = whole
	}
	return Receiver{ID: id, State: state, Host: hostname(), Process: os.Getpid(), Since: time.Now().UTC().Truncate(time.Microsecond)}
}

func (r Receiver) String() string {
	return fmt.Sprintf("process %d on %s, state %s, since %s", r.Process, text.Lines(r.Host), r.where(), r.Since.Format(time.RFC3339))
}

// where is the place of the state.
func (r Receiver) where() string {
	if r.Database != "" {
		return "in the database " + text.Line(r.Database)
	}
	return text.ShellWord(r.State)
}

// With is a command that is to use the state.
func (r Receiver) With(c problem.Invocation) problem.Invocation {
	if r.Database != "" {
		return c.Set("database", text.Line(r.Database))
	}
	return c.Set("state", text.ShellWord(r.State))
}

func (r Receiver) same(other Receiver) bool {
	return r.ID == other.ID && r.Host == other.Host && r.Process == other.Process && r.Since.Equal(other.Since)
}

// Claim is the right of one receiver to act upon the faxes of an account that are in
// an archive: to run programs for them, and to tell others. It outlives the process,
// so that nobody else does the same again. In a folder it is for one process at a time;
// in a bucket all that have the id of the receiver share it, and have to be told apart by
// where they keep their state. Nobody needs the turn to write. Safe for concurrent use.
type Claim interface {
	// Check reports whether the archive still is this receiver's. fax.ErrConflict: it is
	// not; fax.ErrUnavailable: there is no archive, and nobody knows.
	Check(ctx context.Context) error

	// Ready fails when the receiver can keep nothing in the archive now: as Check does;
	// with fax.ErrUnavailable when another disk, or a copy, is where the archive was; and
	// when the folder cannot be written. It reads and writes no more than that takes.
	Ready(ctx context.Context) error

	// Close says that the receiver does not run any more.
	Close() error
}

// folderClaim is a claim of an archive in a folder.
type folderClaim struct {
	dir, path string
	me        Receiver
	file      durable.File // locked while the receiver lives
}

// claimName is the file that says who receives for an account.
func claimName(account string) string { return claimPrefix + url.QueryEscape(account) + ".json" }

const (
	claimPrefix = ".receiver-"
	mostClaim   = 64 << 10 // bytes of it that are read
)

func (o inFolder) receiver(_ context.Context, account string) (Receiver, error) {
	r, _, err := readClaim(filepath.Join(o.dir, claimName(account)))
	return r, err
}

func (o inFolder) claimable(_ context.Context, account, id string) error {
	return claimableIn(o.dir, account, id)
}

func claimableIn(dir, account, id string) error {
	before, live, err := readClaim(filepath.Join(dir, claimName(account)))
	err = mayClaim(dir, before, err, id)
	if err == nil && live {
		return problem.With(fmt.Errorf("archive %s: %w: its receiver is running already, with this state or a copy of it (%s)", dir, problem.ErrConflict, before),
			problem.Say("end that one first"))
	}
	return err
}

// mayClaim fails when an archive, where a claim was read, is not for the receiver of this
// id to claim. Nobody has claimed it: fs.ErrNotExist.
func mayClaim(where string, before Receiver, read error, id string) error {
	switch {
	case errors.Is(read, fs.ErrNotExist):
		return nil
	case errors.Is(read, problem.ErrInvalid):
		return problem.With(fmt.Errorf("archive %s: %w: nobody knows which receiver it has: %w", where, problem.ErrConflict, read),
			problem.Say("if no other one serves it, %s makes it this one's", problem.Field("take-over")))
	case read != nil:
		return read
	case before.ID != id:
		return problem.With(fmt.Errorf("archive %s: %w: another receiver serves it (%s)", where, problem.ErrConflict, before),
			goOn(before))
	}
	return nil
}

// goOn is what to do where another receiver has the archive. What replicas have taken on is
// in their database alone, so that nobody is led away from it.
func goOn(before Receiver) problem.Advice {
	if before.Database != "" {
		return problem.Say("receive with its database, as another replica: %s; docs/scale.md tells how to go back to one receiver", before.With(problem.Command("serve")))
	}
	return problem.Say("go on with the state of that one; or end it, and %s makes the archive this one's", problem.Field("take-over"))
}

// claim makes the folder the receiver's. The new file is locked before it has its name, and
// only who has the lock of it may look at the one before.
func (o inFolder) claim(_ context.Context, account string, me Receiver, takeOver func(before Receiver) error) (Claim, error) {
	disk, dir := o.disk(), o.dir
	c := &folderClaim{dir: dir, path: filepath.Join(dir, claimName(account)), me: me}
	f, err := durable.Claim(disk, c.path+".new")
	if errors.Is(err, durable.ErrTaken) {
		return nil, problem.With(fmt.Errorf("archive %s: %w: another receiver is being started", dir, problem.ErrConflict), problem.Say("run this again when it runs or has ended"))
	} else if err != nil {
		return nil, err
	}
	err = claimableIn(dir, account, me.ID)
	if before, _, bad := readClaim(c.path); errors.Is(err, problem.ErrConflict) && takeOver != nil && (bad != nil || before.ID != me.ID) {
		err = takeOver(before)
	}
	if err == nil {
		err = writeClaim(f, me)
	}
	if err == nil {
		err = rename(disk, f.Name(), c.path)
	}
	if err != nil {
		return nil, errors.Join(err, disk.Remove(f.Name()), f.Close())
	}
	c.file = f
	if err := disk.SyncDir(dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return c, nil
}

func writeClaim(f durable.File, r Receiver) error {
	data, err := json.Marshal(r)
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.Write(append(data, '\n'))
	}
	if err != nil {
		return err
	}
	return f.Sync()
}

// readClaim is who has an archive, and whether it is running. fs.ErrNotExist: nobody
// has; fax.ErrInvalid: the file tells nobody.
func readClaim(path string) (r Receiver, live bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return r, false, err
	}
	defer f.Close() //nolint:errcheck // only read
	free, err := durable.TryShare(f)
	if err != nil {
		return r, false, err
	}
	data, err := io.ReadAll(io.LimitReader(f, mostClaim))
	if err != nil {
		return r, false, err
	}
	r, err = parseClaim(path, data)
	return r, !free && err == nil, err
}

// parseClaim is who is told of by what was read. fax.ErrInvalid: nobody.
func parseClaim(name string, data []byte) (r Receiver, err error) {
	if json.Unmarshal(data, &r) != nil || r.ID == "" {
		return r, fmt.Errorf("%s: %w", name, problem.ErrInvalid)
	}
	return r, nil
}

// Check implements Claim.
func (c *folderClaim) Check(ctx context.Context) error {
	now, _, err := readClaim(c.path)
	if err == nil && now.same(c.me) {
		return nil
	}
	return lostClaim(ctx, inFolder{dir: c.dir}, c.dir, c.path, c.me, now, err)
}

// lostClaim is what it means that now has an archive, or that it could not be read who has.
func lostClaim(ctx context.Context, at place, where, name string, me, now Receiver, err error) error {
	switch {
	case err == nil:
		err = fmt.Errorf("another receiver has taken it over (%s)", now)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", problem.ErrUnavailable, err)
	default:
		if known := at.known(ctx); known != nil {
			//nolint:errorlint // its kind is what it must not have, as its disk may come back
			return fmt.Errorf("%w: %v", problem.ErrUnavailable, known)
		}
		err = fmt.Errorf("%s: %w", name, errRemoved)
	}
	return problem.With(fmt.Errorf("archive %s: %w: %w", where, problem.ErrConflict, err),
		problem.Say("what this one had not done yet is listed by: %s", me.With(problem.Command("serve", "jobs", "list"))))
}

// Ready implements Claim.
func (c *folderClaim) Ready(ctx context.Context) error {
	if err := c.Check(ctx); err != nil {
		return err
	}
	if named, err := durable.Named(c.file, c.path); err != nil || !named {
		return errors.Join(fmt.Errorf("archive %s: %w: another one is where it was", c.dir, problem.ErrUnavailable), err)
	}
	return durable.MayMake(c.dir, c.dir)
}

// Close implements Claim.
func (c *folderClaim) Close() error { return c.file.Close() }
