package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

const (
	// largest is the size at which a body is taken to be endless. A page of
	// fax is some 50 kB; the providers' own limits are far below.
	largest = 1 << 30

	// resumable is the size from which a broken download is worth continuing
	// in a later run, and how much a run that is killed may lose of one.
	resumable = 256 << 10

	// stubborn is how many connections in a row may bring nothing new.
	stubborn = 3

	// patience is how long to wait for another run that has the document on
	// its way, as when two that cron starts overlap. Most take far less.
	patience = 10 * time.Second
)

// Part is a document that is complete and has passed the checks, but does not
// have its name yet: first [Part.Sync], then [Part.Rename], then sync the
// folder. Discard it otherwise. Until then it is claimed, see [durable.Claim],
// unless it passes on and is small.
type Part struct {
	SHA256  string // lower-case hex
	Size    int64  // bytes
	Info    document.Info
	MediaID string // which of the provider's documents it is, as in fax.Document

	disk    durable.Disk
	path    string
	content content
	noted   bool // there may be a note beside it
	named   bool
}

// Get downloads the document of f to the given path, which is for this fax
// alone, and checks it. What an earlier run left there is continued when it is
// surely of the same document. Errors as of [Save].
func Get(ctx context.Context, faxes fax.Faxes, f fax.Fax, path string, opt Options) (*Part, error) {
	p := passing(ctx, opt, path)
	if p == nil {
		var err error
		if p, err = claimed(ctx, opt.disk(), path); err != nil {
			return nil, err
		}
	}
	if err := p.get(ctx, faxes, f, opt); err != nil {
		return nil, err
	}
	return p, nil
}

// passing is a part that has no file as long as it is small; nil: it has to have one, or
// has one that may be worth continuing.
func passing(ctx context.Context, opt Options, path string) *Part {
	if !opt.Passing {
		return nil
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &Part{disk: opt.disk(), path: path, content: &inMemory{claim: func() (inFile, error) { return claim(ctx, opt.disk(), path) }}}
}

func claimed(ctx context.Context, disk durable.Disk, path string) (*Part, error) {
	file, err := claim(ctx, disk, path)
	if err != nil {
		return nil, err
	}
	return &Part{disk: disk, path: path, content: file}, nil
}

// claim takes the file of a part for this call alone. It waits a while for another.
func claim(ctx context.Context, disk durable.Disk, path string) (inFile, error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		file, err := durable.Claim(disk, path)
		if err == nil {
			return inFile{file, disk, path}, nil
		}
		if !errors.Is(err, durable.ErrTaken) {
			return inFile{}, err
		}
		select {
		case <-waiting.Done():
			if ctx.Err() != nil {
				return inFile{}, ctx.Err()
			}
			return inFile{}, problem.With(fmt.Errorf("%w: another run is downloading it", problem.ErrConflict), problem.Say("run this again when that has finished"))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// get brings the document of f into the part. After an error nothing is left of
// it, but what is worth continuing.
func (p *Part) get(ctx context.Context, faxes fax.Faxes, f fax.Fax, opt Options) error {
	d := download{f: f, faxes: faxes, disk: p.disk, content: p.content, note: p.note(), sum: sha256.New(), progress: opt.Progress}
	err := d.run(ctx)
	p.noted = d.left
	if err == nil {
		p.Info, err = inspect(p.content, d.have, f)
		d.version = version{} // complete and wrong is not worth continuing
	}
	if err != nil {
		if d.version.worthKeeping() && d.have > 0 && d.remember() == nil {
			return errors.Join(err, p.content.close())
		}
		p.Discard()
		return err
	}
	p.SHA256, p.Size, p.MediaID = hexOf(d.sum), d.have, d.media
	return nil
}

// Content is the document, until it is discarded.
func (p *Part) Content() *io.SectionReader { return io.NewSectionReader(p.content, 0, p.Size) }

// Sync brings the document to the disk.
func (p *Part) Sync() error { return p.content.sync() }

// Rename gives the document its name. Whether the name outlives a loss of
// power is decided when the folder is synced.
func (p *Part) Rename(path string) error {
	if err := errors.Join(p.content.settle(), p.forget()); err != nil {
		return err
	}
	if err := p.disk.Rename(p.path, path); err != nil {
		return err
	}
	p.named = true
	_ = p.content.close() // on the disk, and named: there is nothing left to fail
	return nil
}

// Discard removes the part, unless it has its name.
func (p *Part) Discard() {
	if p.named {
		return
	}
	_ = p.forget()
	p.content.discard()
}

// note is the name of the file that tells a later run what is in the part.
func (p *Part) note() string { return p.path + ".etag" }

func (p *Part) forget() error {
	if !p.noted {
		return nil
	}
	if err := p.disk.Remove(p.note()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (p *Part) file(path string) File {
	return File{Path: path, SHA256: p.SHA256, Size: p.Size, Info: p.Info}
}

// version tells one version of a document from another.
type version struct {
	ETag string `json:"etag"`
	Size int64  `json:"size"` // bytes
}

// sure reports whether the same tag means the same bytes. A weak one, W/"…", does not, and
// what is no tag at all tells nothing.
// Source: RFC 9110, 8.8.3 and 15.3.7.3.
func (v version) sure() bool { return strings.HasPrefix(v.ETag, `"`) }

func (v version) worthKeeping() bool { return v.sure() && v.Size >= resumable }

// note is what a part surely has of a document. The sum tells whether it still
// has it: nothing of a part is on the disk for good before it is complete.
type note struct {
	version
	Have   int64  `json:"have"`   // bytes
	SHA256 string `json:"sha256"` // of these bytes
}

// download is one document on its way.
type download struct {
	f        fax.Fax
	faxes    fax.Faxes
	disk     durable.Disk
	content  content
	note     string // file of the note
	sum      hash.Hash
	progress func(int)

	left    bool // there is a note, or may be one
	have    int64
	noted   int64 // of what the part has
	version version
	media   string // id
}

// run reads the document to its end, over as many connections as it takes
// while each brings something new.
func (d *download) run(ctx context.Context) error {
	if err := d.pickUp(); err != nil {
		return err
	}
	furthest := d.have
	for idle := 0; ; {
		err := d.connection(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		var broken brokenError
		if !errors.As(err, &broken) {
			return err
		}
		if idle++; d.have > furthest {
			furthest, idle = d.have, 0
		}
		if idle == stubborn {
			return broken.error
		}
	}
}

// brokenError is an end that came too early: another connection may help.
type brokenError struct{ error }

// pickUp takes over what an earlier run left, when it is known what it is.
func (d *download) pickUp() error {
	if _, err := d.content.ReadAt(make([]byte, 1), 0); errors.Is(err, io.EOF) { // it has nothing
		return nil
	}
	d.left = true
	n, err := d.recall()
	if err != nil || !n.worthKeeping() || n.Have >= n.Size {
		return d.startOver() // without a note nothing is known of the part
	}
	_, err = io.Copy(d.sum, io.NewSectionReader(d.content, 0, n.Have))
	if err != nil || hexOf(d.sum) != n.SHA256 {
		return d.startOver()
	}
	d.have, d.noted, d.version = n.Have, n.Have, n.version
	return d.content.cut(d.have)
}

// recall reads the note of an earlier run.
func (d *download) recall() (n note, err error) {
	f, err := durable.Claim(d.disk, d.note) // nobody else's note is believed
	if err != nil {
		return n, err
	}
	defer f.Close() //nolint:errcheck // only read
	return n, json.NewDecoder(io.LimitReader(f, 1<<16)).Decode(&n)
}

// remember writes the note. One that is cut off tells nothing, or what does not
// fit the part, and the download starts over.
func (d *download) remember() error {
	d.noted, d.left = d.have, true
	if err := d.content.settle(); err != nil {
		return err
	}
	data, err := json.Marshal(note{d.version, d.have, hexOf(d.sum)})
	if err != nil {
		return err
	}
	f, err := durable.Claim(d.disk, d.note)
	if err != nil {
		return err
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.Write(data)
	}
	return errors.Join(err, f.Close())
}

func (d *download) startOver() error {
	d.have, d.noted, d.version = 0, 0, version{}
	d.sum.Reset()
	_ = d.disk.Remove(d.note) // one that stays does not fit the part
	return d.content.cut(0)
}

// connection reads as much as one connection gives.
func (d *download) connection(ctx context.Context) error {
	if d.have > 0 && !d.version.sure() { // nothing would say that more is of the same document
		if err := d.startOver(); err != nil {
			return err
		}
	}
	doc, err := d.faxes.Open(ctx, d.f, d.have)
	if err != nil {
		if d.have > 0 && !errors.Is(err, problem.ErrUnavailable) && !errors.Is(err, problem.ErrAuth) && ctx.Err() == nil {
			// The server may refuse the offset rather than the document.
			return errors.Join(brokenError{err}, d.startOver())
		}
		return err
	}
	defer doc.Body.Close() //nolint:errcheck // only read
	v := version{doc.ETag, doc.Size}
	if d.have > 0 && (doc.Offset != d.have || v != d.version) {
		if err := d.startOver(); err != nil {
			return err
		}
		if doc.Offset != 0 {
			return brokenError{fmt.Errorf("%w: the document changed while it was read", problem.ErrUnavailable)}
		}
	}
	d.version, d.media = v, doc.MediaID
	if err := d.read(doc.Body); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	switch {
	case doc.Size >= 0 && d.have < doc.Size:
		return brokenError{&IncompleteError{Got: d.have, Want: doc.Size}}
	case doc.Size >= 0 && d.have > doc.Size, d.have > largest:
		return &NotDocumentError{Reason: fmt.Errorf("%w: longer than announced", document.ErrNotDocument)}
	}
	return nil
}

// read copies the body to the part.
func (d *download) read(body io.Reader) error {
	buf := make([]byte, 16<<10)
	for d.have <= largest {
		n, err := body.Read(buf)
		if n > 0 {
			if _, err := d.content.Write(buf[:n]); err != nil {
				return err
			}
			d.sum.Write(buf[:n])
			d.have += int64(n)
			if d.progress != nil {
				d.progress(n)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, new(*TooLargeError)):
			d.version = version{} // not worth continuing
			return err
		case err != nil:
			return brokenError{&IncompleteError{Got: d.have, Want: d.version.Size, Reason: err}}
		case d.version.worthKeeping() && d.have-d.noted >= resumable:
			_ = d.remember() // without it, a run that is killed is not continued
		}
	}
	return nil
}
