package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// ready asks whether faxes can be taken.
func (s *station) ready() string {
	w := s.do(httptest.NewRequest(http.MethodGet, "/readyz", nil))
	return http.StatusText(w.Code) + "\n" + w.Body.String()
}

// A receiver is ready when all parts are; which one is not is said in a few words that
// anybody may read, and the whole of it is in the log.
func TestReady(t *testing.T) {
	const all = "OK\ndatabase: ok\ndisk: ok\narchive: ok\nqueue: ok\nprovider: ok\n"
	synctest.Test(t, func(t *testing.T) { // by whose clock no part is slow to answer
		s := newStation(t, nil)
		if got := s.ready(); got != strings.NewReplacer("OK\n", "Service Unavailable\n", "queue: ok", "queue: failed, it does not run").Replace(all) {
			t.Errorf("before it runs: %s", got)
		}
		if log := s.log.String(); strings.Contains(log, "WARN") || !strings.Contains(log, `level=INFO msg="not ready" part=queue`) {
			t.Errorf("a probe of a receiver that begins has it say\n%s", log)
		}
	})
	s := newStation(t, nil)
	stop := s.run()
	s.until("it is ready", func() bool { return s.ready() == all })
	stop()
	s.until("it is ready no more", func() bool { return strings.HasPrefix(s.ready(), "Service Unavailable\n") })
	if w := s.do(httptest.NewRequest(http.MethodGet, "/healthz", nil)); w.Code != 200 {
		t.Errorf("alive: %d", w.Code)
	}

	for name, tt := range map[string]struct {
		is   func(*station)
		want string
	}{
		"gone":      {func(s *station) { s.fails(fmt.Errorf("%w: /secret/path", problem.ErrUnavailable)) }, "archive: failed, it is not there"},
		"another's": {func(s *station) { s.fails(fmt.Errorf("%w: /secret/path", problem.ErrConflict)) }, "archive: failed, another receiver has it"},
		"read only": {func(s *station) { s.fails(&fs.PathError{Op: "write", Path: "/secret/path", Err: syscall.EROFS}) }, "archive: failed, it cannot be written"},
		"not ours":  {func(s *station) { s.fails(&fs.PathError{Op: "write", Path: "/secret/path", Err: fs.ErrPermission}) }, "archive: failed, it cannot be written"},
		"odd":       {func(s *station) { s.fails(errors.New("/secret/path is odd")) }, "archive: failed, the log says why"},
		"full":      {func(s *station) { s.archive.room = 256<<20 - 1 }, "archive: failed, too little room is left"},
		"no credentials": {func(s *station) {
			s.cloud.fail(&fax.APIError{Kind: problem.ErrAuth, Status: 401, Message: "/secret/path"})
		}, "provider: failed, it refuses the credentials"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newStation(t, nil)
			tt.is(s)
			if got := s.ready(); !strings.HasPrefix(got, "Service Unavailable\n") || !strings.Contains(got, "\n"+tt.want+"\n") || strings.Contains(got, "secret") {
				t.Errorf("%s: %s", name, got)
			}
			if part, _, _ := strings.Cut(tt.want, ":"); !strings.Contains(s.log.String(), `level=WARN msg="not ready" part=`+part) {
				t.Errorf("%s: the log says nothing", name)
			}
		})
	}
}

func (s *station) fails(err error) { s.archive.ready = func(context.Context) error { return err } }

// However many ask, an archive is looked at once a second, and one on a disk that does
// not answer keeps nobody waiting for more than five.
func TestReadyIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStation(t, nil)
		var looks atomic.Int32
		s.archive.ready = func(context.Context) error { looks.Add(1); return nil }
		for range 100 {
			s.ready()
		}
		if n := looks.Load(); n != 1 {
			t.Errorf("looked at %d times", n)
		}
		time.Sleep(time.Second)
		s.ready()
		if n := looks.Load(); n != 2 {
			t.Errorf("looked at %d times after a second", n)
		}
		time.Sleep(time.Second)
		back := make(chan struct{})
		s.archive.ready = func(context.Context) error { looks.Add(1); <-back; return nil }
		for range 3 {
			begin := time.Now()
			if got := s.ready(); !strings.Contains(got, "archive: failed, it does not answer\n") || time.Since(begin) != 5*time.Second {
				t.Errorf("after %s: %s", time.Since(begin), got)
			}
		}
		if n := looks.Load(); n != 3 {
			t.Errorf("%d looks are under way", n-2)
		}
		if strings.Contains(s.log.String(), "ready again") {
			t.Error("it is ready again before it is")
		}
		close(back)
		synctest.Wait()
		for range 3 {
			if got := s.ready(); !strings.Contains(got, "archive: ok\n") {
				t.Errorf("when it is back: %s", got)
			}
		}
		if n := strings.Count(s.log.String(), `level=INFO msg="ready again" part=archive`); n != 1 {
			t.Errorf("the log says %d times that it is ready again", n)
		}
	})
}
