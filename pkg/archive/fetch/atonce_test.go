package fetch

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// counter counts what runs at once.
type counter struct {
	fax.Faxes
	now, peak atomic.Int64
}

func (c *counter) work() {
	n := c.now.Add(1)
	for p := c.peak.Load(); n > p && !c.peak.CompareAndSwap(p, n); p = c.peak.Load() {
	}
	time.Sleep(time.Millisecond)
}

func (c *counter) Open(context.Context, fax.Fax, int64) (fax.Document, error) {
	c.work()
	return fax.Document{Body: closer{strings.NewReader(""), func() { c.now.Add(-1) }}}, nil
}

func (c *counter) Get(context.Context, string) (fax.Fax, error) {
	defer c.now.Add(-1)
	c.work()
	return fax.Fax{}, nil
}

func (c *counter) Delete(context.Context, string) error {
	defer c.now.Add(-1)
	c.work()
	return problem.ErrNotFound
}

func (c *counter) DeleteMedia(context.Context, string, string) error {
	defer c.now.Add(-1)
	c.work()
	return nil
}

type closer struct {
	io.Reader
	close func()
}

func (c closer) Close() error { c.close(); return nil }

func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counter{}
		faxes := AtOnce(c, 3)
		ctx := t.Context()
		var wait sync.WaitGroup
		for i := range 40 {
			wait.Go(func() {
				switch i % 4 {
				case 0:
					doc, err := faxes.Open(ctx, fax.Fax{}, 0)
					if err != nil {
						t.Error(err)
					}
					time.Sleep(5 * time.Millisecond) // still reading
					if err := errors.Join(doc.Body.Close(), doc.Body.Close()); err != nil {
						t.Error(err)
					}
				case 1:
					if err := faxes.Delete(ctx, "FX1"); !errors.Is(err, problem.ErrNotFound) {
						t.Error(err)
					}
				case 2:
					if err := faxes.DeleteMedia(ctx, "FX1", "ME1"); err != nil {
						t.Error(err)
					}
				case 3:
					if _, err := faxes.Get(ctx, "FX1"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		if c.peak.Load() != 3 {
			t.Errorf("%d at once, want 3", c.peak.Load())
		}

		full := AtOnce(c, 1)
		doc, err := full.Open(ctx, fax.Fax{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := full.Get(ended, "FX1"); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting with an ended context: %v", err)
		}
		if err := doc.Body.Close(); err != nil {
			t.Error(err)
		}
	})
}
