package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// fits reports whether a name may be used: slash-separated, without . and .., and without
// characters that a terminal obeys.
func fits(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsFunc(name, text.Unsafe)
}

// check is the beginning of every call about a name.
func check(ctx context.Context, name string) error {
	if !fits(name) {
		return problem.Of(problem.ErrInvalid, &fs.PathError{Op: "find", Path: text.Line(name), Err: fs.ErrInvalid})
	}
	return ctx.Err()
}

// isAbsent reports whether the server itself says that there is no such file. A 404 that
// says nothing may be of something in between, or mean the bucket.
func isAbsent(said minio.ErrorResponse) bool {
	return said.Code == minio.NoSuchKey && said.XMLName.Local != ""
}

// Stat implements store.Store.
func (s *Store) Stat(ctx context.Context, name string) (store.File, error) {
	if err := check(ctx, name); err != nil {
		return store.File{}, err
	}
	var is minio.ObjectInfo
	err := patiently(ctx, s.options.Patience, func() (err error) {
		is, err = s.stat(ctx, s.at.key(name))
		return err
	})
	if err != nil {
		return store.File{}, s.tell(ctx, err, name, right{action: "s3:GetObject"})
	}
	return fileOf(name, is), nil
}

func fileOf(name string, is minio.ObjectInfo) store.File {
	return store.File{Name: name, Size: is.Size, Stamp: is.ETag, Written: is.LastModified.Truncate(time.Second)} // as by a header
}

// stat asks once. The answer to a HEAD has no body, and so no reason: whoever is refused
// asks again by a GET, of one byte. fs.ErrNotExist: the server said that it is not there.
func (s *Store) stat(ctx context.Context, key string) (minio.ObjectInfo, error) {
	is, err := s.client.StatObject(ctx, s.at.Bucket, key, minio.StatObjectOptions{})
	if err == nil && is.ETag == "" {
		return is, errNoS3
	}
	var said minio.ErrorResponse
	if !errors.As(err, &said) || isAway(said.StatusCode) {
		return is, err
	}
	var one minio.GetObjectOptions
	if err := one.SetRange(0, 0); err != nil {
		return is, err
	}
	r, is, _, err := s.client.GetObject(ctx, s.at.Bucket, key, one)
	if err == nil {
		_ = r.Close()
		return is, errAgain // there now
	}
	switch {
	case !errors.As(err, &said):
	case said.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return is, errAgain // the same, of a file without a first byte
	case isAbsent(said):
		err = &fs.PathError{Op: "find", Path: "s3://" + s.at.Bucket + "/" + key, Err: fs.ErrNotExist}
	}
	return is, err
}

// Above is the nearest place above this one that has a file of a name; "": there is none. Who
// may not look above is told of none.
func (s *Store) Above(ctx context.Context, name string) (string, error) {
	if err := check(ctx, name); err != nil {
		return "", err
	}
	for at := s.at; at.Prefix != ""; {
		at.Prefix = at.Prefix[:max(strings.LastIndexByte(at.Prefix, '/'), 0)]
		err := patiently(ctx, s.options.Patience, func() error {
			_, err := s.stat(ctx, at.key(name))
			return err
		})
		err = s.tell(ctx, err, name, right{action: "s3:GetObject"})
		switch {
		case err == nil:
			return at.String(), nil
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, problem.ErrAuth):
			return "", err
		}
	}
	return "", nil
}

// Open implements store.Store.
func (s *Store) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, store.File, error) {
	if err := check(ctx, name); err != nil {
		return nil, store.File{}, err
	}
	b := &body{ctx: ctx, s: s, file: store.File{Name: name}, at: offset, breaks: mostBreaks}
	if err := patiently(ctx, s.options.Patience, b.open); err != nil {
		return nil, store.File{}, s.tell(ctx, err, name, right{action: "s3:GetObject"})
	}
	return b, b.file, nil
}

// mostBreaks is how often a connection may break while one file is read.
const mostBreaks = 10

// body is a file that is being read, of one version of it, over as many connections as
// that takes.
type body struct {
	ctx    context.Context // of the call that opened it
	s      *Store
	file   store.File // without a stamp until it was opened
	at     int64      // what comes next
	from   io.ReadCloser
	breaks int // how many more are borne
}

// open asks for what comes next.
func (b *body) open() error {
	var o minio.GetObjectOptions
	if b.at > 0 {
		o.Set("Range", fmt.Sprintf("bytes=%d-", b.at))
	}
	from, is, header, err := b.s.client.GetObject(b.ctx, b.s.at.Bucket, b.s.at.key(b.file.Name), o)
	var said minio.ErrorResponse
	if errors.As(err, &said) && said.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return b.openEnd()
	}
	if err != nil {
		return err
	}
	size, err := sizeOf(is, header, b.at)
	if err == nil && b.file.Stamp != "" && (is.ETag != b.file.Stamp || size != b.file.Size) {
		err = store.Changed(b.s.at.of(b.file.Name))
	}
	if err != nil {
		_ = from.Close()
		return err
	}
	is.Size = size // of all of it
	b.from, b.file = from, fileOf(b.file.Name, is)
	return nil
}

// openEnd is an offset at which there is nothing any more.
func (b *body) openEnd() error {
	is, err := b.s.stat(b.ctx, b.s.at.key(b.file.Name))
	if err != nil {
		return err
	}
	if is.Size > b.at {
		return errAgain // it was replaced just now
	}
	b.at, b.from, b.file = is.Size, io.NopCloser(strings.NewReader("")), fileOf(b.file.Name, is)
	return nil
}

// sizeOf is how large a file is of which the rest from an offset was asked for.
func sizeOf(is minio.ObjectInfo, header http.Header, offset int64) (int64, error) {
	if is.ETag == "" || is.Size < 0 {
		return 0, errNoS3
	}
	if offset == 0 {
		return is.Size, nil
	}
	var first, last, size int64
	if n, _ := fmt.Sscanf(header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &size); n != 3 || first != offset || last != size-1 || size-offset != is.Size {
		return 0, fmt.Errorf("%w: bytes from %d on were asked for, and %s came", errNoS3, offset, strconv.Quote(text.Line(header.Get("Content-Range"))))
	}
	return size, nil
}

// Read reads on after a break, where it was. It never ends before the file does.
func (b *body) Read(p []byte) (int, error) {
	if b.at >= b.file.Size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := b.from.Read(p[:min(int64(len(p)), b.file.Size-b.at)])
		b.at += int64(n)
		if n > 0 {
			return n, nil // an error comes again
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if b.ctx.Err() != nil {
			return 0, b.ctx.Err()
		}
		if b.breaks--; b.breaks < 0 {
			return 0, problem.Of(problem.ErrUnavailable, fmt.Errorf("%s: %w after %d of %d bytes", b.s.at.of(b.file.Name), err, b.at, b.file.Size))
		}
		_ = b.from.Close()
		if err := patiently(b.ctx, b.s.options.Patience, b.open); err != nil {
			b.from = io.NopCloser(broken{err})
			return 0, b.s.tell(b.ctx, err, b.file.Name, right{action: "s3:GetObject"})
		}
	}
}

// Close gives the connection back.
func (b *body) Close() error { return b.from.Close() }

// broken is read when nothing more comes.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// List implements store.Store, in pages of a thousand names. What cannot be a name of an
// archive is left out: the marks that some tools keep for folders, and what was put there
// by others.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[store.File, error] {
	return func(yield func(store.File, error) bool) {
		no := false
		o := minio.ListObjectsOptions{Prefix: s.at.key(prefix), Recursive: true, FetchOwner: &no}
		for is := range s.client.ListObjectsIter(ctx, s.at.Bucket, o) {
			if is.Err != nil {
				yield(store.File{}, s.tell(ctx, is.Err, "", right{"s3:ListBucket", true}))
				return
			}
			name, ours := s.at.name(is.Key)
			if !ours || store.Hidden(name) && !store.Hidden(prefix) {
				continue
			}
			if !yield(fileOf(name, is), nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(store.File{}, err) // the list has ended early, and does not say so
		}
	}
}
