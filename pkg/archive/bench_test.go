package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// far is a provider over HTTP, 20 ms away.
type far struct {
	fax.Faxes
	url    string
	client *http.Client
}

func (p far) Open(ctx context.Context, f fax.Fax, _ int64) (fax.Document, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/"+f.ID, nil)
	if err != nil {
		return fax.Document{}, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return fax.Document{}, err
	}
	return fax.Document{Body: resp.Body, Size: resp.ContentLength, ETag: resp.Header.Get("ETag")}, nil
}

// BenchmarkKeeping compares a bare loop of GETs with downloading and with
// archiving the same documents, 60 kB each and 20 ms away, 16 at a time. The
// metric x-bare is how many times longer each took.
func BenchmarkKeeping(b *testing.B) {
	const jobs = 16
	var doc bytes.Buffer
	if err := paper.Write(&doc, paper.PDF, paper.Sheet{Pages: 3, Bytes: 60_000}); err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		w.Header().Set("Content-Length", strconv.Itoa(doc.Len()))
		w.Header().Set("ETag", `"`+path.Base(r.URL.Path)+`"`)
		_, _ = w.Write(doc.Bytes())
	}))
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: jobs}
	defer transport.CloseIdleConnections()
	provider := far{url: server.URL, client: &http.Client{Transport: transport}}

	run := func(b *testing.B, calls int, keep func(f fax.Fax) error) time.Duration {
		b.Helper()
		start := time.Now()
		faxes := make(chan fax.Fax)
		var workers sync.WaitGroup
		for range calls {
			workers.Go(func() {
				for f := range faxes {
					if err := keep(f); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for i := range 1000 {
			f := received(fmt.Sprintf("FX%06d", i), 3)
			f.Created = f.Created.Add(-time.Duration(i) * 20 * time.Minute)
			faxes <- f
		}
		close(faxes)
		workers.Wait()
		return time.Since(start)
	}
	ctx := b.Context()
	limited := fetch.AtOnce(provider, jobs)
	bare := func(b *testing.B) time.Duration {
		return run(b, jobs, func(f fax.Fax) error {
			doc, err := provider.Open(ctx, f, 0)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, doc.Body)
			return err
		})
	}
	for name, keep := range map[string]func(b *testing.B, dir string) time.Duration{
		"download": func(b *testing.B, dir string) time.Duration {
			disk := durable.NewSyncer(durable.OS{})
			return run(b, 4*jobs, func(f fax.Fax) error {
				_, err := fetch.Save(ctx, limited, f, fetch.Target{Dir: dir, Base: f.ID}, fetch.Options{Disk: disk})
				return err
			})
		},
		"archive": func(b *testing.B, dir string) time.Duration {
			a, err := Open(ctx, dir)
			if err != nil {
				b.Fatal(err)
			}
			took := run(b, 4*jobs, func(f fax.Fax) error {
				_, _, err := a.Save(ctx, limited, f)
				return err
			})
			start := time.Now()
			if err := a.Close(ctx); err != nil {
				b.Fatal(err)
			}
			return took + time.Since(start)
		},
	} {
		b.Run(name, func(b *testing.B) {
			var with, without time.Duration
			for b.Loop() {
				without += bare(b)
				with += keep(b, b.TempDir())
			}
			b.ReportMetric(float64(with)/float64(without), "x-bare")
			b.ReportMetric(float64(without.Milliseconds())/float64(b.N), "bare-ms")
		})
	}
}

// BenchmarkKeepingNear archives documents of 10 kB that are there at once, 16 at a time. The
// other side writes as many files, brings them to the disk and names them, as durably.
func BenchmarkKeepingNear(b *testing.B) {
	const jobs, faxes = 16, 500
	d, all := fill(b, 3)
	doc := d.docs[all[0].ID]
	side := func(b *testing.B, keep func(i int) error) time.Duration {
		b.Helper()
		began := time.Now()
		var next atomic.Int64
		var workers sync.WaitGroup
		for range jobs {
			workers.Go(func() {
				for i := int(next.Add(1)) - 1; i < faxes; i = int(next.Add(1)) - 1 {
					if err := keep(i); err != nil {
						b.Error(err)
					}
				}
			})
		}
		workers.Wait()
		return time.Since(began)
	}
	var ours, theirs time.Duration
	for b.Loop() {
		dir, disk := b.TempDir(), durable.NewSyncer(durable.OS{})
		theirs += side(b, func(i int) error {
			return errors.Join(bareFile(disk, dir, i, ".pdf", doc), bareFile(disk, dir, i, ".json", make([]byte, 1500)), disk.SyncDir(dir))
		})
		a := open(b, b.TempDir())
		var some []fax.Fax
		for i := range faxes {
			f := received(fmt.Sprintf("FX%06d", i), 1)
			d.docs[f.ID], d.records[f.ID] = doc, f
			some = append(some, f)
		}
		var listed []Listed
		for l, err := range a.LookUp(b.Context(), seq.Of(some)) {
			if err != nil {
				b.Fatal(err)
			}
			listed = append(listed, l)
		}
		ours += side(b, func(i int) error { _, _, err := a.SaveListed(b.Context(), d, listed[i]); return err })
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-bare")
	b.ReportMetric(1.8, "x-bare-allowed")
	b.ReportMetric(float64(theirs.Milliseconds())/float64(b.N), "bare-ms")
}

// bareFile makes a file under a hidden name, and gives it its own.
func bareFile(disk durable.Disk, dir string, i int, ext string, content []byte) error {
	path := filepath.Join(dir, fmt.Sprintf("FX%06d", i)+ext)
	f, err := disk.OpenFile(path+".part", os.O_CREATE|os.O_EXCL|os.O_WRONLY)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close(), disk.Rename(path+".part", path))
}
