package s3

import (
	"context"
	"crypto/md5" // it is how S3 names what it received, and no protection
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// What is kept of a file beside its content: the hash of it in hex, and by which call it
// was put.
const (
	metaSHA256 = "Faxctl-Sha256"
	metaPut    = "Faxctl-Put"
)

// Put implements store.Store. An error that is not store.ErrChanged, and after which the
// server may have kept the content, says so.
func (s *Store) Put(ctx context.Context, name string, content store.Content, when store.Condition) (string, error) {
	p, err := s.put(ctx, name, content, when, false)
	if err != nil {
		return "", err
	}
	return p.stamp, nil
}

// PutHeld is Put of what is under a legal hold from the first moment that it is there, and
// makes sure of that. Errors are also those of [Store.LegalHold].
func (s *Store) PutHeld(ctx context.Context, name string, content store.Content, when store.Condition) (string, error) {
	p, err := s.put(ctx, name, content, when, true)
	if err != nil {
		return "", err
	}
	held, err := s.held(ctx, name, p.version)
	if err == nil && !held {
		err = s.hold(ctx, name, p.version, minio.LegalHoldEnabled)
	}
	if err != nil {
		return "", err
	}
	return p.stamp, nil
}

func (s *Store) put(ctx context.Context, name string, content store.Content, when store.Condition, held bool) (*put, error) {
	if err := check(ctx, name); err != nil {
		return nil, err
	}
	if conditional(when) {
		if err := s.prove(ctx); err != nil {
			return nil, err
		}
	}
	p := &put{Store: s, name: name, key: s.at.key(name), content: content, when: when, held: held, call: rand.Text()}
	if err := p.sum(); err != nil {
		return nil, err
	}
	err := patiently(ctx, s.options.Patience, func() error { return p.attempt(ctx) })
	if err != nil && p.doubtful && ctx.Err() == nil && !errors.Is(err, errDamaged) {
		err = p.settle(ctx, err)
	}
	if err != nil && isContended(err) {
		err = store.Changed(s.at.of(name))
	}
	if err != nil {
		return nil, s.tell(ctx, err, name, right{action: "s3:PutObject"})
	}
	return p, nil
}

// put is one call of Put, which may take several requests.
type put struct {
	*Store
	name, key string
	content   store.Content
	when      store.Condition
	held      bool // by the bucket, from the beginning

	call     string // tells what this call has put from what others have
	sha, md5 []byte

	doubtful bool   // a request was sent, and nobody knows what became of it
	stamp    string // of what was put
	version  string // of that; "" where there are none
}

// sum reads the content once, before anything is sent.
func (p *put) sum() error {
	sha, sum := sha256.New(), md5.New()
	n, err := io.Copy(io.MultiWriter(sha, sum), p.reader())
	if err == nil && n != p.content.Size() {
		err = io.ErrUnexpectedEOF
	}
	p.sha, p.md5 = sha.Sum(nil), sum.Sum(nil)
	return err
}

func (p *put) reader() io.Reader { return io.NewSectionReader(p.content, 0, p.content.Size()) }

// attempt sends the content once, and makes sure of what became of it.
func (p *put) attempt(ctx context.Context) error {
	info, all, err := p.send(ctx)
	if err == nil {
		return p.confirm(ctx, info.ETag, info.VersionID, info.ChecksumSHA256)
	}
	var said minio.ErrorResponse
	answered := errors.As(err, &said)
	switch {
	case answered && said.StatusCode == http.StatusPreconditionFailed, answered && isAbsent(said) && p.when.Stamp != "":
		return p.refused(ctx)
	case isContended(err): // another call is at it: nothing was put
	case answered && said.StatusCode < 500 && said.StatusCode != http.StatusRequestTimeout: // refused
	case neverSent(err):
	case !all: // so the server cannot have kept it: maybe it refused before all had come
		if conditional(p.when) {
			if is := p.refused(ctx); is == nil || errors.Is(is, store.ErrChanged) {
				return is
			}
		}
	default:
		p.doubtful = true
	}
	return err
}

// send sends the content, and tells whether all of it was taken to be sent.
func (p *put) send(ctx context.Context) (info minio.UploadInfo, all bool, err error) {
	body := &sending{r: p.reader()}
	info, err = p.client.PutObject(ctx, p.at.Bucket, p.key, body, p.content.Size(),
		base64.StdEncoding.EncodeToString(p.md5), hex.EncodeToString(p.sha), p.headers())
	if err == nil && info.ETag == "" {
		err = errNoS3
	}
	return info, body.sent.Load() >= p.content.Size(), err
}

// sending counts what was taken to be sent, also after the call that it was for.
type sending struct {
	r    io.Reader
	sent atomic.Int64
}

func (s *sending) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.sent.Add(int64(n))
	return n, err
}

func (p *put) headers() minio.PutObjectOptions {
	o := minio.PutObjectOptions{
		DisableMultipart:     true, // which would drop the conditions
		DisableContentSha256: true, // it is signed as a whole, not by pieces
		ServerSideEncryption: p.options.Encryption.header(),
		UserMetadata: map[string]string{
			metaSHA256:              hex.EncodeToString(p.sha),
			metaPut:                 p.call,
			"x-amz-checksum-sha256": base64.StdEncoding.EncodeToString(p.sha),
		},
	}
	if keep := p.options.Retention; keep > 0 {
		o.Mode, o.RetainUntilDate = minio.Governance, time.Now().Add(keep)
		if p.options.Compliance {
			o.Mode = minio.Compliance
		}
	}
	if p.held {
		o.LegalHold = minio.LegalHoldEnabled
	}
	if p.when.Absent {
		o.SetMatchETagExcept("*")
	} else if p.when.Stamp != "" {
		o.SetMatchETag(p.when.Stamp)
	}
	return o
}

// refused makes sure of a condition that is said not to hold. It may be an earlier attempt
// of this call that is there, or something in between may have sent this one twice.
func (p *put) refused(ctx context.Context) error {
	is, err := p.stat(ctx, p.key)
	switch {
	case errors.Is(err, fs.ErrNotExist) && p.when.Absent:
		return errAgain // it was removed, or is being put by a call that may yet fail
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && is.UserMetadata[metaPut] == p.call:
		return p.confirm(ctx, is.ETag, is.VersionID, "")
	case !conditional(p.when), err == nil && p.when.Stamp == is.ETag:
		return errAgain // the condition holds, whatever was said
	}
	return store.Changed(p.at.of(p.name))
}

// settle looks for what this call may have put, after its attempts seemed to fail. When
// something else is there the truth is not known: it may have been put, and be replaced by
// now.
func (p *put) settle(ctx context.Context, err error) error {
	if !errors.Is(err, store.ErrChanged) { // which has looked
		is, there := p.stat(ctx, p.key)
		if there == nil && is.UserMetadata[metaPut] == p.call && p.confirm(ctx, is.ETag, is.VersionID, "") == nil {
			return nil
		}
	}
	return &problem.Error{Kind: problem.ErrUnavailable, Text: p.at.of(p.name) + ": whether it was put is not known", Cause: errors.New(plain(inner(err)))}
}

// errDamaged is what was put and is there otherwise.
var errDamaged = errors.New("what the server keeps is not what was sent: it was damaged on its way")

// confirm makes sure that what is there is whole. The server says what it has received by
// the ETag, which is its MD5 unless it is encrypted otherwise, or by the checksum; when it
// says neither, it is read back.
func (p *put) confirm(ctx context.Context, etag, version, checksum string) error {
	p.stamp, p.version = etag, version
	if etag != hex.EncodeToString(p.md5) && checksum != base64.StdEncoding.EncodeToString(p.sha) {
		if err := p.reread(ctx, etag); err != nil {
			return err
		}
	}
	if p.options.Encryption.Algorithm == "" {
		return nil
	}
	is, err := p.stat(ctx, p.key)
	if err != nil {
		p.doubtful = true // it is there, or was
		return err
	}
	return p.options.Encryption.check(is, p.at.of(p.name))
}

// reread reads what is there. What is damaged is replaced by another attempt, if it is
// still that.
func (p *put) reread(ctx context.Context, etag string) error {
	p.doubtful = true // until it is read
	r, is, _, err := p.client.GetObject(ctx, p.at.Bucket, p.key, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	sha := sha256.New()
	n, err := io.Copy(sha, r)
	_ = r.Close()
	switch {
	case err != nil:
		return err
	case is.ETag != etag:
		return errAgain // it was replaced meanwhile: the next attempt finds out
	case n != p.content.Size() || string(sha.Sum(nil)) != string(p.sha):
		if conditional(p.when) {
			p.when = store.Unchanged(etag)
		}
		return errDamaged
	}
	p.doubtful = false
	return nil
}

// check makes sure of an encryption that was asked for: a server that knows none may take
// the wish and do nothing about it.
func (e Encryption) check(is minio.ObjectInfo, what string) error {
	got := is.Metadata.Get("X-Amz-Server-Side-Encryption")
	if got == e.Algorithm {
		return nil
	}
	if got == "" {
		got = "no encryption"
	}
	return &problem.Error{Kind: problem.ErrUnsupported, Text: fmt.Sprintf("%s: %s was asked for, and the server keeps it with %s", what, e.Algorithm, got),
		Advice: problem.Say("set the encryption of the bucket at the server, and unset FAXCTL_S3_ENCRYPTION; what was put is there, readable")}
}
