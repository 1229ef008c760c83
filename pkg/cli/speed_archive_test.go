package cli_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/listing"
	"github.com/faxctl/faxctl/pkg/profile"
	faxprovider "github.com/faxctl/faxctl/pkg/provider"
	"github.com/faxctl/faxctl/pkg/sandbox"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// BenchmarkSpeedKept looks at 100,000 faxes that are kept already: it archives them again,
// which finds nothing to do, and lists them. The other side is the list of the provider.
func BenchmarkSpeedKept(b *testing.B) {
	shipped(b)
	const faxes = 100_000
	var doc bytes.Buffer
	if err := paper.Write(&doc, paper.TIFF, paper.Sheet{Pages: 1}); err != nil {
		b.Fatal(err)
	}
	c := newCloud(b, sandbox.Options{}, sandbox.SeedOptions{Faxes: faxes, Numbers: 20, Document: doc.Bytes(), Pages: 1})
	kept := filepath.Join(b.TempDir(), "kept")
	c.keep(b, kept, doc.Bytes())
	var listed, again, lines, ids result
	for b.Loop() {
		listed.add(c.run(b, nil, "faxctl", "faxes", "list", "--all", "-o", "jsonl"))
		again.add(c.run(b, nil, "faxctl", "faxes", "archive", "--to", kept))
		lines.add(c.run(b, nil, "faxctl", "archive", "list", kept, "--all", "-o", "jsonl"))
		ids.add(c.run(b, nil, "faxctl", "archive", "list", kept, "--all", "-o", "id"))
		if lines.lines() != faxes || ids.lines() != faxes {
			b.Fatalf("%d and %d kept faxes listed", lines.lines(), ids.lines())
		}
	}
	b.ReportMetric(listed.time.Seconds()/float64(b.N), "s-list")
	promise(b, again.time.Seconds()/listed.time.Seconds(), "again-of-list", 5)
	promise(b, lines.time.Seconds()/listed.time.Seconds(), "kept-of-list", 2)
	b.ReportMetric(ids.time.Seconds()/listed.time.Seconds(), "ids-of-list")
}

// keep keeps all faxes of the cloud, whose document is doc, without waiting for a disk.
func (c *cloud) keep(b *testing.B, where string, doc []byte) {
	b.Helper()
	ctx := b.Context()
	p, err := faxprovider.Open(profile.Profile{Provider: profile.Twilio, AccountID: c.Account().Account, APIURL: c.url},
		profile.NewSecret(c.Account().Token), faxprovider.Options{Jobs: 4, Timeout: time.Minute, Base: http.DefaultTransport})
	if err != nil {
		b.Fatal(err)
	}
	kept, err := archive.Opener{Disk: hasty{}}.Open(ctx, where)
	if err != nil {
		b.Fatal(err)
	}
	all := listing.List(ctx, p.Faxes, fax.Filter{WithRaw: true}, listing.Options{Retention: p.Retention})
	results := batch.Run(ctx, 2*runtime.NumCPU(), all, func(ctx context.Context, f fax.Fax) (bool, error) {
		_, existed, err := kept.Save(ctx, given{p.Faxes, doc}, f)
		return existed, err
	})
	err = seq.Each(results, func(r batch.Result[fax.Fax, bool]) {
		if r.Err != nil {
			b.Error(r.Err)
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := kept.Close(ctx); err != nil {
		b.Fatal(err)
	}
}

// hasty is a disk that is not waited for.
type hasty struct{ durable.OS }

func (hasty) OpenFile(path string, flag int) (durable.File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return hastyFile{f}, nil
}

func (hasty) SyncDir(string) error { return nil }

type hastyFile struct{ *os.File }

func (hastyFile) Sync() error { return nil }

// given is a provider of which the documents need not be fetched.
type given struct {
	fax.Faxes
	doc []byte
}

func (g given) Open(_ context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	return fax.Document{Body: io.NopCloser(bytes.NewReader(g.doc[offset:])), Offset: offset, Size: int64(len(g.doc)), MediaID: f.MediaID}, nil
}
