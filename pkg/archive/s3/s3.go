// Package s3 keeps the files of an archive in a bucket of Amazon S3, or of a server that
// speaks as it does.
//
// [Open] finds the server and the keys as AWS's own tools do. [Store] is a store.Store:
// conditions are If-None-Match and If-Match, and a stamp is an ETag. It takes nobody's
// single word: what was put has the checksum that the server found, or is read back; after
// an answer that was lost it looks whether what is there is its own; a list that was cut
// short is no list; what is removed is looked for again, with all of its versions.
package s3

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"github.com/faxctl/faxctl/pkg/archive/retention"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Options say how a bucket is used. The zero value is right for most.
type Options struct {
	Getenv func(string) string // the environment; nil: that of the process

	Encryption Encryption
	Retention  time.Duration // the bucket keeps what is put for so long, by its object lock; 0: as the bucket itself has it
	Compliance bool          // and nobody can shorten that, nor the owner of the account

	Stall    time.Duration // how long a connection may stand still; 0: a minute
	Patience time.Duration // how long what fails is tried again; 0: twenty seconds

	Around func(http.RoundTripper) http.RoundTripper // what sees each request; nil: nothing

	// Away, unless nil, is told of the server, HOST:PORT, when [Open] has waited for an answer
	// of it for a second, and goes on waiting.
	Away func(server string)
}

// Encryption is what is asked of the server, and read back. Empty, it is the bucket's.
type Encryption struct {
	Algorithm string // "AES256", "aws:kms"
	Key       string // of KMS; "": the account's
}

// FromEnvironment are the options that FAXCTL_S3_ENCRYPTION, FAXCTL_S3_RETENTION and
// FAXCTL_S3_RETENTION_MODE say.
func FromEnvironment(getenv func(string) string) (Options, error) {
	o := Options{Getenv: getenv}
	given := getenv("FAXCTL_S3_ENCRYPTION")
	algorithm, key, _ := strings.Cut(strings.Replace(given, "aws:kms:", "aws:kms ", 1), " ")
	switch algorithm {
	case "", "AES256", "aws:kms":
		o.Encryption = Encryption{algorithm, key}
	default:
		return o, problem.Invalid(problem.Say("it is AES256, aws:kms, or aws:kms:KEY"), "FAXCTL_S3_ENCRYPTION %s", text.Quote(given))
	}
	if given = getenv("FAXCTL_S3_RETENTION"); given != "" {
		var err error
		if o.Retention, err = retention.ParseAge(given); err != nil {
			return o, fmt.Errorf("FAXCTL_S3_RETENTION: %w", err)
		}
		if o.Retention < 24*time.Hour {
			return o, problem.Invalid(problem.Say("a bucket keeps for a day or more: 90d, 6mo, 7y"), "FAXCTL_S3_RETENTION %s", text.Quote(given))
		}
	}
	given = getenv("FAXCTL_S3_RETENTION_MODE")
	switch {
	case given != "" && o.Retention == 0:
		return o, problem.Invalid(problem.Say("FAXCTL_S3_RETENTION says for how long, as in 7y"), "FAXCTL_S3_RETENTION_MODE of no retention")
	case given == "compliance":
		o.Compliance = true
	case given != "" && given != "governance":
		return o, problem.Invalid(problem.Say("it is governance or compliance"), "FAXCTL_S3_RETENTION_MODE %s", text.Quote(given))
	}
	return o, nil
}

// Store keeps files in a bucket, below a prefix.
type Store struct {
	at       Location
	endpoint *url.URL
	from     string // what says so: see settings
	client   minio.Core
	options  Options

	lock   sync.Mutex
	has    *bool // whether the bucket has object lock; nil: not asked yet
	proven bool  // that the server knows conditions
}

var _ store.Store = (*Store)(nil)

// Open reads the settings, and asks for the first name of the location: the bucket is
// there, and may be listed.
func Open(ctx context.Context, location string, o Options) (*Store, error) {
	at, err := ParseLocation(location)
	if err != nil {
		return nil, err
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Stall == 0 {
		o.Stall = time.Minute
	}
	if o.Patience == 0 {
		o.Patience = 20 * time.Second
	}
	if o.Around == nil {
		o.Around = func(rt http.RoundTripper) http.RoundTripper { return rt }
	}
	set, err := readSettings(o.Getenv)
	if err != nil {
		return nil, err
	}
	s := &Store{at: at, endpoint: set.endpoint, from: set.from, options: o}
	if err := s.connect(set); err != nil {
		return nil, err
	}
	return s, s.first(ctx)
}

// silence is after how long it is told that an answer is waited for.
const silence = time.Second

// first looks whether there is an answer at all, and tells when that takes long: a wrong
// address is tried for as long as a server that is away.
func (s *Store) first(ctx context.Context) error {
	if s.options.Away == nil {
		return s.look(ctx)
	}
	looked := make(chan error, 1)
	go func() { looked <- s.look(ctx) }()
	select {
	case err := <-looked:
		return err
	case <-time.After(silence):
		s.options.Away(s.endpoint.Host)
	}
	return <-looked
}

func (s *Store) connect(set settings) error {
	network, err := network(set.caBundle, s.options.Stall)
	if err != nil {
		return err
	}
	keys, err := set.credentials(network)
	if err != nil {
		return err
	}
	lookup := minio.BucketLookupDNS
	if set.pathStyle || strings.Contains(s.at.Bucket, ".") { // no certificate is for two names below
		lookup = minio.BucketLookupPath
	}
	core, err := minio.NewCore(set.endpoint.Host, &minio.Options{
		Creds: keys, Secure: set.endpoint.Scheme == "https", Region: set.region, BucketLookup: lookup,
		Transport:  lists{guard{s.options.Around(network), set.endpoint}, s.options.Patience},
		MaxRetries: 1, // none: see patiently
	})
	if err != nil {
		return problem.Of(problem.ErrInvalid, err)
	}
	core.SetS3EnableDualstack(set.dualStack)
	s.client = *core
	return nil
}

// look asks for one name.
func (s *Store) look(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	no := false
	for o := range s.client.ListObjectsIter(ctx, s.at.Bucket, minio.ListObjectsOptions{Prefix: s.at.key(""), Recursive: true, MaxKeys: 1, FetchOwner: &no}) {
		return s.tell(ctx, o.Err, "", right{"s3:ListBucket", true})
	}
	return ctx.Err()
}

// String is the location.
func (s *Store) String() string { return s.at.String() }

// Identity tells a location from one of the same name at another server, however that is
// written.
func (s *Store) Identity() string { return s.endpoint.String() + " " + s.at.String() }

// SameIdentity reports whether what Identity says, now or in a version that took the server
// as it was written, is of one place.
func SameIdentity(a, b string) bool { return normal(a) == normal(b) }

func normal(identity string) string {
	server, location, _ := strings.Cut(identity, " ")
	u, err := url.Parse(server)
	if err != nil {
		return identity
	}
	return origin(u).String() + " " + location
}

// header asks the server for it; nil: for nothing.
func (e Encryption) header() encrypt.ServerSide {
	switch e.Algorithm {
	case "AES256":
		return encrypt.NewSSE()
	case "aws:kms":
		sse, _ := encrypt.NewSSEKMS(e.Key, nil) // which fails for a context alone
		return sse
	}
	return nil
}
