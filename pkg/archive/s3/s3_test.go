package s3

import (
	"cmp"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/archive/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, server *s3test.Server, location string, o Options) *Store {
	t.Helper()
	o.Getenv, o.Patience = server.Getenv, cmp.Or(o.Patience, time.Minute)
	s, err := Open(t.Context(), location, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fresh opens empty stores of one server: each in a bucket, or below a prefix.
func fresh(server *s3test.Server, p s3test.Protection) func(testing.TB) store.Store {
	var n atomic.Int64
	return func(t testing.TB) store.Store {
		bucket := fmt.Sprintf("archive-%d", n.Add(1))
		server.Bucket(t, bucket, p)
		return open(t, server, fmt.Sprintf("s3://%s/kept/here", bucket), Options{})
	}
}

func TestFake(t *testing.T) {
	open := fresh(s3test.Fake(t), s3test.Plain)
	storetest.Run(t, open)
	t.Run("large", func(t *testing.T) { storetest.Large(t, open(t)) })
}

func TestFakeVersions(t *testing.T) { storetest.Run(t, fresh(s3test.Fake(t), s3test.Versioned)) }

func TestVersity(t *testing.T) {
	open := fresh(s3test.Versity(t), s3test.Plain)
	storetest.Run(t, open)
	t.Run("large", func(t *testing.T) { storetest.Large(t, open(t)) })
}

func TestVersityLocked(t *testing.T) { storetest.Run(t, fresh(s3test.Versity(t), s3test.Locked)) }
