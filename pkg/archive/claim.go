package archive

import (
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
	State   string    `json:"state"` // the folder of it
	Host    string    `json:"host"`
	Process int       `json:"process"`
	Since   time.Time `json:"since"`
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
	return fmt.Sprintf("process %d on %s, state %s, since %s", r.Process, text.Lines(r.Host), text.ShellWord(r.State), r.Since.Format(time.RFC3339))
}

func (r Receiver) same(other Receiver) bool {
	return r.ID == other.ID && r.Host == other.Host && r.Process == other.Process && r.Since.Equal(other.Since)
}

// Claim is the right of one receiver to act upon the faxes of an account that are in
// an archive: to run programs for them, and to tell others. It outlives the process,
// so that nobody else does the same again, and is for one process at a time. Neither
// needs the turn to write.
type Claim struct {
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

// Claimable fails as [ClaimFor] would that takes nothing over; an id of "" is of a
// receiver that never was.
func Claimable(dir, account, id string) error {
	path := filepath.Join(dir, claimName(account))
	before, live, err := readClaim(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, problem.ErrInvalid):
		return problem.With(fmt.Errorf("archive %s: %w: nobody knows which receiver it has: %w", dir, problem.ErrConflict, err),
			problem.Say("if no other one serves it, %s makes it this one's", problem.Field("take-over")))
	case err != nil:
		return err
	case before.ID != id:
		return problem.With(fmt.Errorf("archive %s: %w: another receiver serves it (%s)", dir, problem.ErrConflict, before),
			problem.Say("go on with the state of that one; or end it, and %s makes the archive this one's", problem.Field("take-over")))
	case live:
		return problem.With(fmt.Errorf("archive %s: %w: its receiver is running already, with this state or a copy of it (%s)", dir, problem.ErrConflict, before),
			problem.Say("end that one first"))
	}
	return nil
}

// ClaimFor makes the archive in a folder that of a receiver, for an account. Close
// the claim when the receiver ends; the archive stays its own. fax.ErrConflict: it
// is another's, or the receiver is running already. With takeOver it becomes this
// one's although it was another's; takeOver is called before, and when it fails
// nothing is changed.
func ClaimFor(dir, account string, me Receiver, takeOver func() error) (*Claim, error) {
	return claimOn(durable.OS{}, dir, account, me, takeOver)
}

// claimOn is ClaimFor on any disk. The new file is locked before it has its name, and
// only who has the lock of it may look at the one before.
func claimOn(disk durable.Disk, dir, account string, me Receiver, takeOver func() error) (*Claim, error) {
	c := &Claim{dir: dir, path: filepath.Join(dir, claimName(account)), me: me}
	f, err := durable.Claim(disk, c.path+".new")
	if errors.Is(err, durable.ErrTaken) {
		return nil, problem.With(fmt.Errorf("archive %s: %w: another receiver is being started", dir, problem.ErrConflict), problem.Say("run this again when it runs or has ended"))
	} else if err != nil {
		return nil, err
	}
	err = Claimable(dir, account, me.ID)
	if before, _, bad := readClaim(c.path); errors.Is(err, problem.ErrConflict) && takeOver != nil && (bad != nil || before.ID != me.ID) {
		err = takeOver()
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
	if json.Unmarshal(data, &r) != nil || r.ID == "" {
		return r, false, fmt.Errorf("%s: %w", path, problem.ErrInvalid)
	}
	return r, !free, nil
}

// Check reports whether the archive still is this receiver's. fax.ErrConflict: it is
// not; fax.ErrUnavailable: there is no archive, and nobody knows. It may be called by
// several goroutines.
func (c *Claim) Check() error {
	now, _, err := readClaim(c.path)
	switch {
	case err == nil && now.same(c.me):
		return nil
	case err == nil:
		err = fmt.Errorf("another receiver has taken it over (%s)", now)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", problem.ErrUnavailable, err)
	default:
		if known := Known(c.dir); known != nil {
			//nolint:errorlint // its kind is what it must not have, as its disk may come back
			return fmt.Errorf("%w: %v", problem.ErrUnavailable, known)
		}
		err = fmt.Errorf("%s: %w", c.path, errRemoved)
	}
	return problem.With(fmt.Errorf("archive %s: %w: %w", c.dir, problem.ErrConflict, err),
		problem.Say("what this one had not done yet is listed by: %s", problem.Command("serve", "jobs", "list").Set("state", text.ShellWord(c.me.State))))
}

// Ready fails when the receiver can keep nothing in the archive now: as [Claim.Check]
// does; with fax.ErrUnavailable when another disk, or a copy, is where the archive was;
// and when the folder cannot be written. It reads and writes no more than that takes,
// and may be called by several goroutines.
func (c *Claim) Ready() error {
	if err := c.Check(); err != nil {
		return err
	}
	if named, err := durable.Named(c.file, c.path); err != nil || !named {
		return errors.Join(fmt.Errorf("archive %s: %w: another one is where it was", c.dir, problem.ErrUnavailable), err)
	}
	return durable.MayMake(c.dir, c.dir)
}

// Close says that the receiver does not run any more.
func (c *Claim) Close() error { return c.file.Close() }
