package cli_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
)

// killable is a server that can be killed, and started again.
type killable struct {
	name        string
	kill, start func(testing.TB)
}

// scaleDatabase is a database of a server that can be killed.
func scaleDatabase(t testing.TB) (url string, server killable) {
	t.Helper()
	s := postgrestest.New(t)
	return s.Database(t), killable{"PostgreSQL", s.Kill, s.Start}
}

// scaleBucket is a bucket of an S3 server that can be killed, and how it is reached:
// versitygw, or where that is not installed one in this process, of which no more than the
// connections can be.
func scaleBucket(t testing.TB) (direct *s3test.Server, environ []string, server killable) {
	t.Helper()
	if s3test.Program() != "" {
		s := s3test.Versity(t)
		s.Bucket(t, scaleName, s3test.Plain)
		return s, s.Environ(), killable{"versitygw", s.Kill, s.Start}
	}
	var away atomic.Bool
	s := s3test.Fake(t)
	s.Bucket(t, scaleName, s3test.Plain)
	front := s.Proxy(t, func(*http.Request) s3test.Fault {
		if away.Load() {
			return s3test.Drop
		}
		return s3test.None
	})
	return s, front.Environ(), killable{"the S3 server", func(testing.TB) { away.Store(true) }, func(testing.TB) { away.Store(false) }}
}

// The bucket, and the part of it that is the archive.
const (
	scaleName   = "faxes"
	scalePrefix = "scale/"
)

// readBucket looks at an archive with eyes of its own: the SHA-256 of each document that
// is there of a fax, and how many sidecars.
func readBucket(t testing.TB, s *s3test.Server) (documents map[string][]string, sidecars map[string]int) {
	t.Helper()
	client := s.Client(t)
	documents, sidecars = map[string][]string{}, map[string]int{}
	for o := range client.ListObjects(t.Context(), scaleName, minio.ListObjectsOptions{Prefix: scalePrefix, Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		name := path.Base(o.Key)
		id := strings.TrimSuffix(name, path.Ext(name))
		switch {
		case strings.Contains(o.Key, "/."), path.Dir(o.Key)+"/" == scalePrefix: // the archive's own
		case path.Ext(name) == ".json":
			sidecars[id]++
		default:
			r, err := client.GetObject(t.Context(), scaleName, o.Key, minio.GetObjectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.New()
			if _, err := io.Copy(sum, r); err != nil {
				t.Fatalf("%s: %v", o.Key, err)
			}
			_ = r.Close()
			documents[id] = append(documents[id], hex.EncodeToString(sum.Sum(nil)))
		}
	}
	return documents, sidecars
}
