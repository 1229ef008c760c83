package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/archive/s3"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Open opens an archive for writing, and makes a new one when the folder, or the part of
// the bucket, is empty or not there. Close it. Errors: [ErrLocked]; fax.ErrInvalid for a
// place that has something else in it; fax.ErrUnsupported for an archive of a later
// version; those of the file system, and of package s3.
func Open(ctx context.Context, where string) (*Archive, error) { return Opener{}.Open(ctx, where) }

// Read is [Opener.Read] in the environment of the process.
func Read(ctx context.Context, where string) (*Archive, error) { return Opener{}.Read(ctx, where) }

// Opener opens archives, which are in a folder or, as in "s3://bucket/prefix", in a
// bucket. The zero value does not wait for others.
type Opener struct {
	// Wait is how long to wait while another process writes to a folder. To a bucket
	// several may write at the same time.
	Wait time.Duration

	// Waiting, unless nil, is told once who is waited for (it may be empty: nobody
	// knows), when that has taken a second.
	Waiting func(who string)

	// Away, unless nil, is told of the server of a bucket when its first answer takes more
	// than a second.
	Away func(server string)

	// Reading, unless nil, is told of records that have to be read because the index does
	// not know them: n more were.
	Reading func(n int)

	// Lost, unless nil, is told of each hold in a bucket that was lost.
	Lost func(LostHold)

	Around func(http.RoundTripper) http.RoundTripper // what sees each request to a bucket; nil: nothing

	Patience time.Duration // how long a bucket that is away is tried again; 0: 20 s

	// Database, unless nil, is asked for the database that has the index of an archive in a
	// bucket, for all who use it; without one (nil) this machine has an index of its own. A
	// folder has its own always.
	Database func(context.Context) (*sql.DB, error)

	Disk durable.Disk // nil: durable.OS

	// Getenv is the environment (nil: that of the process), which says how a bucket is
	// reached, and where this machine keeps what it knows of one.
	Getenv func(string) string

	connect func(ctx context.Context, where string) (remote, error) // nil: s3.Open
}

// LostHold is a fax that is held as far as the index knows, and has no sidecar that tells of
// that hold. It stays held until [Archive.Forget], or until its sidecar tells that it was let go.
type LostHold struct {
	Entry         // as the index knows it
	Replaced bool // there is a sidecar, which does not tell of the hold

	row index.Row
}

// lostWith is the hold that was lost with the sidecar of a row.
func lostWith(row index.Row) LostHold { return LostHold{lastKnown(row), false, row} }

// place is where an archive is, or may be made.
type place interface {
	identity() string // of what is in it this one's begins with it and a slash
	open(ctx context.Context) (*Archive, error)
	read(ctx context.Context) (*Archive, error)
	rescue(ctx context.Context) (*Archive, bool, error)
	check(ctx context.Context) error
	known(ctx context.Context) error
	receiver(ctx context.Context, account string) (Receiver, error)
	claimable(ctx context.Context, account, id string) error
	claim(ctx context.Context, account string, me Receiver, takeOver func(before Receiver) error) (Claim, error)
}

func (o Opener) at(ctx context.Context, where string) (place, error) {
	if !IsRemote(where) {
		return inFolder{o, where}, nil
	}
	connect := o.connect
	if connect == nil {
		connect = o.bucket
	}
	there, err := connect(ctx, where)
	if err != nil {
		return nil, err
	}
	return inBucket{o, where, there}, nil
}

// Store is where the files of an archive on S3 are, for what else a server keeps there under
// hidden names, and what tells it from every other. fax.ErrUnsupported: the archive is in a
// folder.
func (o Opener) Store(ctx context.Context, where string) (_ store.Store, identity string, err error) {
	at, err := o.at(ctx, where)
	if err != nil {
		return nil, "", err
	}
	b, ok := at.(inBucket)
	if !ok {
		return nil, "", fmt.Errorf("archive %s: %w: it is in a folder", where, problem.ErrUnsupported)
	}
	return b.remote, b.identity(), nil
}

// SameStore reports whether two that [Opener.Store] has told, now or in an earlier version,
// are one.
func SameStore(a, b string) bool { return s3.SameIdentity(a, b) }

// IsRemote reports whether somebody means an archive on S3, whether or not it is written
// rightly.
func IsRemote(where string) bool { return s3.IsLocation(where) }

// CheckLocation fails with fax.ErrInvalid and advice when an archive on S3 is not written
// rightly. It asks nobody.
func CheckLocation(where string) error {
	if !IsRemote(where) {
		return nil
	}
	_, err := s3.ParseLocation(where)
	return err
}

func (o Opener) bucket(ctx context.Context, where string) (remote, error) {
	options, err := s3.FromEnvironment(o.getenv())
	if err != nil {
		return nil, err
	}
	options.Patience, options.Around, options.Away = o.Patience, o.Around, o.Away
	return s3.Open(ctx, where, options)
}

func (o Opener) getenv() func(string) string {
	if o.Getenv == nil {
		return os.Getenv
	}
	return o.Getenv
}

func (o Opener) disk() durable.Disk {
	if o.Disk == nil {
		return durable.OS{}
	}
	return o.Disk
}

// Open is [Open] that waits.
func (o Opener) Open(ctx context.Context, where string) (*Archive, error) {
	at, err := o.at(ctx, where)
	if err != nil {
		return nil, err
	}
	return at.open(ctx)
}

// Read opens an existing archive for reading, also while another process is
// writing to it: what that has kept in the last moments may not be listed yet. It
// needs no lock, and writes nothing to a folder. When the index is of no use, as after a run that
// was killed, or cannot be opened, as on a disk that is full or read-only, it makes
// one of its own in memory, which takes longer. Of a bucket this machine has an index of
// its own, which is brought up to date. Close it. Errors: fax.ErrNotFound
// when there is no archive; otherwise as [Open].
func (o Opener) Read(ctx context.Context, where string) (*Archive, error) {
	at, err := o.at(ctx, where)
	if err != nil {
		return nil, err
	}
	return at.read(ctx)
}

// Check fails as [Opener.Open] would when it has to make the archive, as far as that can
// be known, and makes nothing.
func (o Opener) Check(ctx context.Context, where string) error {
	at, err := o.at(ctx, where)
	if err != nil {
		return err
	}
	return at.check(ctx)
}

// Known fails when there is no archive there (fax.ErrNotFound), or none that this program
// understands.
func (o Opener) Known(ctx context.Context, where string) error {
	at, err := o.at(ctx, where)
	if err != nil {
		return err
	}
	return at.known(ctx)
}

// Rescue is Open for an archive that must be there already. One that has lost
// its format file gets a new one, which is told: it is known by a sidecar in its
// place. Errors are also those of [Opener.Known].
func (o Opener) Rescue(ctx context.Context, where string) (a *Archive, rescued bool, err error) {
	at, err := o.at(ctx, where)
	if err != nil {
		return nil, false, err
	}
	if err = at.known(ctx); err == nil {
		a, err = at.open(ctx)
		return a, false, err
	}
	if !errors.Is(err, problem.ErrNotFound) {
		return nil, false, err
	}
	a, rescued, bad := at.rescue(ctx)
	if bad != nil || !rescued {
		return nil, false, errors.Join(err, bad)
	}
	return a, true, nil
}

// Claimable fails as [Opener.Claim] would that takes nothing over; an id of "" is of a
// receiver that never was.
func (o Opener) Claimable(ctx context.Context, where, account, id string) error {
	at, err := o.at(ctx, where)
	if err != nil {
		return err
	}
	return at.claimable(ctx, account, id)
}

// Receiver is who receives the faxes of an account into an archive. fs.ErrNotExist: nobody
// ever did; fax.ErrInvalid: what is noted there tells nobody.
func (o Opener) Receiver(ctx context.Context, where, account string) (Receiver, error) {
	at, err := o.at(ctx, where)
	if err != nil {
		return Receiver{}, err
	}
	return at.receiver(ctx, account)
}

// Claim makes an archive that of a receiver, for an account. Close the claim when the
// receiver ends; the archive stays its own. fax.ErrConflict: it is another's, or, in a
// folder, the receiver is running already. With takeOver it becomes this one's although
// it was another's; takeOver is called before, with who that was (no one, where that cannot
// be read), and when it fails nothing is changed.
func (o Opener) Claim(ctx context.Context, where, account string, me Receiver, takeOver func(before Receiver) error) (Claim, error) {
	at, err := o.at(ctx, where)
	if err != nil {
		return nil, err
	}
	return at.claim(ctx, account, me, takeOver)
}
