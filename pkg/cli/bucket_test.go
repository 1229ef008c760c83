package cli_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rogpeppe/go-internal/testscript"
)

// pail is the S3 server of a script.
type pail struct {
	backend *s3mem.Backend
	name    string       // of its bucket
	status  atomic.Int64 // what everything is answered with; 0: as it should be
}

// bucketKey is what a script's pail is kept under.
type bucketKey struct{}

// bucket serves S3 on this machine, and points the environment at it.
func bucket(ts *testscript.TestScript, neg bool, args []string) {
	const usage = "usage: bucket NAME | bucket answers STATUS | bucket names FILE | bucket spoil EXTENSION | bucket remove EXTENSION"
	p := ts.Value(bucketKey{}).(*pail)
	switch {
	case neg || len(args) == 0 || len(args) > 2:
		ts.Fatalf(usage)
	case len(args) == 1:
		p.name = args[0]
		p.serve(ts)
	case args[0] == "answers":
		status, err := strconv.Atoi(args[1])
		ts.Check(err)
		p.status.Store(int64(status))
	case args[0] == "names":
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(slices.Sorted(maps.Keys(p.all(ts))), "\n")+"\n"), 0o600))
	case args[0] == "spoil", args[0] == "remove":
		for name, content := range p.all(ts) {
			if !strings.HasSuffix(name, args[1]) {
				continue
			}
			_, err := p.backend.DeleteObject(p.name, name)
			ts.Check(err)
			if args[0] == "spoil" {
				content[len(content)-1] ^= 1
				_, err = p.backend.PutObject(p.name, name, map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, bytes.NewReader(content), int64(len(content)), nil)
				ts.Check(err)
			}
		}
	default:
		ts.Fatalf(usage)
	}
}

func (p *pail) serve(ts *testscript.TestScript) {
	p.backend = s3mem.New()
	ts.Check(p.backend.CreateBucket(p.name))
	s3 := gofakes3.New(p.backend).Server()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := p.status.Load(); status != 0 {
			w.WriteHeader(int(status))
			return
		}
		s3.ServeHTTP(w, r)
	}))
	ts.Defer(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_S3": server.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "script", "AWS_SECRET_ACCESS_KEY": "secret-of-script",
	} {
		ts.Setenv(name, value)
	}
}

// all is what the bucket has.
func (p *pail) all(ts *testscript.TestScript) map[string][]byte {
	found, err := p.backend.ListBucket(p.name, nil, gofakes3.ListBucketPage{})
	ts.Check(err)
	all := map[string][]byte{}
	for _, o := range found.Contents {
		object, err := p.backend.GetObject(p.name, o.Key, nil)
		ts.Check(err)
		all[o.Key], err = io.ReadAll(object.Contents)
		ts.Check(err)
		ts.Check(object.Contents.Close())
	}
	return all
}
