package cli_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/tidwall/gjson"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// BenchmarkSpeedArchiveS3 archives 5,000 documents, 16 at a time, to versitygw on this
// machine: one that keeps its connections, as Amazon does and most servers; one that closes
// each after its answer, as versitygw does unless it is told otherwise, so that most of what is
// measured is the making of connections; and one that is 20 ms away, as the provider is.
//
// One other side puts as many documents and sidecars of the same bytes, as many at a time, and
// asks no provider. That has its share of the same cores, so that another one gets each
// document from it, and does nothing else with it than to put it.
func BenchmarkSpeedArchiveS3(b *testing.B) {
	shipped(b)
	for _, keeps := range []string{"true", "false"} {
		b.Run("keep-alive="+keeps, func(b *testing.B) {
			b.Setenv("VGW_KEEP_ALIVE", keeps)
			archiveS3(b, s3test.Versity(b))
		})
	}
	b.Run("away=20ms", func(b *testing.B) {
		b.Setenv("VGW_KEEP_ALIVE", "true")
		archiveS3(b, s3test.Versity(b).Proxy(b, func(*http.Request) s3test.Fault {
			time.Sleep(20 * time.Millisecond)
			return s3test.None
		}))
	})
}

func archiveS3(b *testing.B, server *s3test.Server) {
	const jobs = 16
	c, links := documents(b)
	reach(b, server)
	client := server.Client(b)
	var ours, bare, copied time.Duration
	for i := 0; b.Loop(); i++ {
		bucket := func(kind string) string {
			name := fmt.Sprintf("%s%d", kind, i)
			server.Bucket(b, name, s3test.Plain)
			return name
		}
		faxes := bucket("faxes")
		ours += c.run(b, nil, "faxctl", "faxes", "archive", "--to", "s3://"+faxes+"/kept", "-j", fmt.Sprint(jobs)).time
		kept, documents := map[string][]byte{}, []string{}
		for o := range client.ListObjects(b.Context(), faxes, minio.ListObjectsOptions{Recursive: true}) {
			if o.Err != nil {
				b.Fatal(o.Err)
			}
			kept[o.Key] = bytes.Repeat([]byte("x"), int(o.Size))
			if o.Size > 50_000 {
				documents = append(documents, o.Key)
			}
		}
		if want := bytes.Count(links, []byte("\n")); len(documents) != want {
			b.Fatalf("%d documents of %d", len(documents), want)
		}
		bare += putAll(b, client, bucket("bare"), kept, jobs)
		copied += copyAll(b, client, bucket("copied"), kept, documents, strings.Fields(string(links)), jobs)
	}
	b.ReportMetric(bare.Seconds()/float64(b.N), "s-bare")
	b.ReportMetric(copied.Seconds()/float64(b.N), "s-copied")
	b.ReportMetric(ours.Seconds()/copied.Seconds(), "times-copied")
	promise(b, ours.Seconds()/bare.Seconds(), "times-bare", 1.3)
}

// copyAll gets each document from a link, puts it, and then its sidecar, so many at a time.
func copyAll(b *testing.B, client *minio.Client, bucket string, objects map[string][]byte, documents, links []string, jobs int) time.Duration {
	b.Helper()
	provider := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: jobs}}
	defer provider.CloseIdleConnections()
	from := map[string]string{}
	for i, name := range documents {
		from[name] = links[i]
	}
	put := func(name string, content []byte) error {
		_, err := client.PutObject(b.Context(), bucket, name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableMultipart: true})
		return err
	}
	var got atomic.Int64
	took := atOnce(b, documents, jobs, func(name string) error {
		document, err := download(b, provider, from[name])
		if err == nil {
			got.Add(int64(len(document)))
			err = put(name, document)
		}
		if err != nil {
			return err
		}
		sidecar := strings.TrimSuffix(name, path.Ext(name)) + ".json"
		return put(sidecar, objects[sidecar])
	})
	if want := int64(len(documents)) * int64(len(objects[documents[0]])); got.Load() != want {
		b.Fatalf("%d bytes of %d", got.Load(), want)
	}
	return took
}

func download(b *testing.B, client *http.Client, link string) ([]byte, error) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, link, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	document, err := io.ReadAll(res.Body)
	return document, errors.Join(err, res.Body.Close())
}

// putAll puts objects, so many at a time, and returns how long it took.
func putAll(b *testing.B, client *minio.Client, bucket string, objects map[string][]byte, jobs int) time.Duration {
	b.Helper()
	return atOnce(b, slices.Collect(maps.Keys(objects)), jobs, func(name string) error {
		content := objects[name]
		_, err := client.PutObject(b.Context(), bucket, name, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{DisableMultipart: true})
		return err
	})
}

// getAll reads objects, so many at a time, and returns how long it took.
func getAll(b *testing.B, client *minio.Client, bucket string, names []string, jobs int) time.Duration {
	b.Helper()
	return atOnce(b, names, jobs, func(name string) error {
		r, err := client.GetObject(b.Context(), bucket, name, minio.GetObjectOptions{})
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return err
	})
}

// atOnce does something with each name, so many at a time, and returns how long it took.
func atOnce(b *testing.B, names []string, jobs int, do func(name string) error) time.Duration {
	b.Helper()
	start := time.Now()
	next := make(chan string)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for name := range next {
				if err := do(name); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, name := range names {
		next <- name
	}
	close(next)
	workers.Wait()
	return time.Since(start)
}

// reach has faxctl find a server.
func reach(t testing.TB, server *s3test.Server) {
	t.Helper()
	for _, set := range server.Environ() {
		name, value, _ := strings.Cut(set, "=")
		t.Setenv(name, value)
	}
}

// BenchmarkSpeedFirstLookS3 lists an archive of 100,000 faxes on S3 that this machine does
// not know yet, so that each sidecar is read; and once more, when it knows them. The other
// side reads as many objects, as many at a time.
func BenchmarkSpeedFirstLookS3(b *testing.B) {
	const faxes, jobs = 100_000, 16
	shipped(b)
	server := s3test.Fake(b)
	server.Bucket(b, "faxes", s3test.Plain)
	var requests atomic.Int64
	reach(b, server.Proxy(b, func(*http.Request) s3test.Fault {
		requests.Add(1)
		return s3test.None
	}))
	client := server.Client(b)
	names := manySidecars(b, client, faxes)
	var first, again, theirs time.Duration
	var asked int64
	for b.Loop() {
		c := newCloud(b, sandbox.Options{}, sandbox.SeedOptions{}) // another home, with nothing in its cache
		list := func() time.Duration {
			r := c.run(b, nil, "faxctl", "archive", "list", "s3://faxes/kept", "-o", "id")
			if r.lines() != faxes {
				b.Fatalf("%d faxes are listed", r.lines())
			}
			return r.time
		}
		before := requests.Load()
		first += list()
		asked += requests.Load() - before
		again += list()
		theirs += getAll(b, client, "faxes", names, jobs)
	}
	b.ReportMetric(first.Seconds()/float64(b.N), "s-first")
	b.ReportMetric(again.Seconds()/float64(b.N), "s-again")
	b.ReportMetric(float64(asked)/float64(b.N), "requests")
	b.ReportMetric(first.Seconds()/theirs.Seconds(), "times-bare")
}

// manySidecars fills an archive: what faxctl keeps of one fax, under the ids of many.
func manySidecars(b *testing.B, client *minio.Client, n int) (names []string) {
	b.Helper()
	c := newCloud(b, sandbox.Options{}, sandbox.SeedOptions{Faxes: 20})
	c.run(b, nil, "faxctl", "faxes", "archive", "--to", "s3://faxes/kept")
	var id string
	var sidecar []byte
	for o := range client.ListObjects(b.Context(), "faxes", minio.ListObjectsOptions{Prefix: "kept/2", Recursive: true}) {
		if path.Ext(o.Key) != ".json" {
			continue
		}
		names = append(names, o.Key)
		r, err := client.GetObject(b.Context(), "faxes", o.Key, minio.GetObjectOptions{})
		if err == nil {
			sidecar, err = io.ReadAll(r)
		}
		if err != nil {
			b.Fatal(err)
		}
		id = gjson.GetBytes(sidecar, "fax.id").Str
	}
	folder := path.Dir(names[len(names)-1])
	objects := map[string][]byte{}
	for i := range n - len(names) {
		other := fmt.Sprintf("FX%032x", i)
		name := folder + "/" + other + ".json"
		names, objects[name] = append(names, name), bytes.ReplaceAll(sidecar, []byte(id), []byte(other))
	}
	putAll(b, client, "faxes", objects, 16)
	return names
}
