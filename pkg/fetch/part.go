package fetch

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"github.com/faxctl/faxctl/pkg/document"
	"github.com/faxctl/faxctl/pkg/fax"
)

const (
	// largest is the size at which a body is taken to be endless. A page of
	// fax is some 50 kB; the providers' own limits are far below.
	largest = 1 << 30

	// resumable is the size from which a broken download is worth continuing
	// in a later run.
	resumable = 256 << 10

	// stubborn is how many connections in a row may bring nothing new.
	stubborn = 3
)

// Part is a document that is complete and has passed the checks, but does not
// have its name yet: first [Part.Sync], then [Part.Rename], then sync the
// folder. Discard it otherwise.
type Part struct {
	SHA256 string // lower-case hex
	Size   int64  // bytes
	Info   document.Info

	path  string
	disk  partFile
	named bool
}

// partFile is the *os.File of a part.
type partFile interface {
	io.ReadWriteSeeker
	io.ReaderAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

func openPart(path string) (partFile, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

// Get downloads the document of f to the given path, which is for this fax
// alone, and checks it. What an earlier run left there is continued when it is
// surely of the same document. Errors as of [Save].
func Get(ctx context.Context, faxes fax.Faxes, f fax.Fax, path string, opt Options) (*Part, error) {
	return get(ctx, faxes, f, path, opt, openPart)
}

func get(ctx context.Context, faxes fax.Faxes, f fax.Fax, path string, opt Options, open func(string) (partFile, error)) (*Part, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	d := download{f: f, faxes: faxes, file: file, tag: path + ".etag", sum: sha256.New(), progress: opt.Progress}
	p := &Part{path: path, disk: file}
	err = d.run(ctx)
	if err == nil {
		p.Info, err = inspect(file, d.have, f)
		d.version = version{} // complete and wrong is not worth continuing
	}
	if err != nil {
		if d.version.worthKeeping() && d.have > 0 {
			return nil, errors.Join(err, file.Close())
		}
		p.Discard()
		return nil, err
	}
	p.SHA256, p.Size = hexOf(d.sum), d.have
	return p, nil
}

// Sync brings the document to the disk.
func (p *Part) Sync() error { return p.disk.Sync() }

// Rename gives the document its name. Whether the name outlives a loss of
// power is decided when the folder is synced.
func (p *Part) Rename(path string) error {
	if err := p.disk.Close(); err != nil {
		return err
	}
	if err := os.Rename(p.path, path); err != nil {
		return err
	}
	p.named = true
	return p.forget()
}

// Discard removes the part, unless it has its name.
func (p *Part) Discard() {
	if p.named {
		return
	}
	// What cannot be removed is a hidden leftover that the next run reuses.
	_ = p.disk.Close()
	_ = os.Remove(p.path)
	_ = p.forget()
}

func (p *Part) forget() error {
	if p.Size > 0 && p.Size < resumable {
		return nil // there never was a tag
	}
	if err := os.Remove(p.path + ".etag"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (p *Part) file(path string) File {
	return File{Path: path, SHA256: p.SHA256, Size: p.Size, Info: p.Info}
}

// version tells one version of a document from another.
type version struct {
	etag string
	size int64
}

func (v version) worthKeeping() bool { return v.etag != "" && v.size >= resumable }

func (v version) String() string { return fmt.Sprintf("%d %s", v.size, v.etag) }

// download is one document on its way.
type download struct {
	f        fax.Fax
	faxes    fax.Faxes
	file     partFile
	tag      string // file that names the version of what is in the part
	sum      hash.Hash
	progress func(int)

	have    int64
	version version
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
	tag, err := os.ReadFile(d.tag)
	if err != nil {
		return d.startOver() // without a tag nothing is known of the part
	}
	var v version
	size, etag, _ := strings.Cut(string(tag), " ")
	if _, err := fmt.Sscan(size, &v.size); err != nil {
		return d.startOver()
	}
	v.etag = etag
	n, err := io.Copy(d.sum, d.file)
	if err != nil {
		return err
	}
	if n >= v.size || !v.worthKeeping() {
		return d.startOver()
	}
	d.have, d.version = n, v
	return nil
}

func (d *download) startOver() error {
	d.have, d.version = 0, version{}
	d.sum.Reset()
	if err := d.file.Truncate(0); err != nil {
		return err
	}
	_, err := d.file.Seek(0, io.SeekStart)
	return err
}

// connection reads as much as one connection gives.
func (d *download) connection(ctx context.Context) error {
	doc, err := d.faxes.Open(ctx, d.f, d.have)
	if err != nil {
		if d.have > 0 && !errors.Is(err, fax.ErrUnavailable) && !errors.Is(err, fax.ErrAuth) && ctx.Err() == nil {
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
			return brokenError{fmt.Errorf("%w: the document changed while it was read", fax.ErrUnavailable)}
		}
	}
	if d.version = v; d.have == 0 && v.worthKeeping() {
		if err := os.WriteFile(d.tag, []byte(v.String()), 0o600); err != nil {
			return err
		}
	}
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
	buf := make([]byte, 64<<10)
	for d.have <= largest {
		n, err := body.Read(buf)
		if n > 0 {
			if _, err := d.file.Write(buf[:n]); err != nil {
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
		case err != nil:
			return brokenError{&IncompleteError{Got: d.have, Want: d.version.size, Reason: err}}
		}
	}
	return nil
}
