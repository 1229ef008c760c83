package s3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/archive/storetest"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// cards choose a fault for one request of a few, of those for its method: they are dealt
// from a deck that has each of them once.
type cards struct {
	mu     sync.Mutex
	random *rand.Rand
	oneOf  int
	faults map[string][]s3test.Fault // by method; of "" for any other
	deck   map[string][]s3test.Fault // what is left to be dealt
	met    map[s3test.Fault]int
}

func newCards(t *testing.T, oneOf int, faults map[string][]s3test.Fault) *cards {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return &cards{random: rand.New(rand.NewPCG(seed, 0)), oneOf: oneOf, faults: faults, deck: map[string][]s3test.Fault{}, met: map[s3test.Fault]int{}}
}

func (d *cards) choose(r *http.Request) s3test.Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	among, known := d.faults[r.Method]
	if !known {
		among = d.faults[""]
	}
	deck := d.deck[r.Method]
	if len(deck) == 0 {
		deck = append(make([]s3test.Fault, len(among)*(d.oneOf-1)), among...) // of which most are none
		d.random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	}
	d.deck[r.Method] = deck[1:]
	d.met[deck[0]]++
	return deck[0]
}

// metAll fails when a put never met a fault: then it was not tested.
func (d *cards) metAll(t *testing.T) {
	t.Helper()
	for _, f := range d.faults[http.MethodPut] {
		if d.met[f] == 0 {
			t.Errorf("fault %d was never met", f)
		}
	}
}

// servers are those that the faults are tried on.
func servers() map[string]func(testing.TB) *s3test.Server {
	return map[string]func(testing.TB) *s3test.Server{"fake": s3test.Fake, "versity": s3test.Versity}
}

// reading are the faults that what only reads, or removes, bears.
func reading() []s3test.Fault {
	return []s3test.Fault{s3test.Stall, s3test.Truncate, s3test.Drop, s3test.DropAfter, s3test.Busy, s3test.BusyAfter, s3test.Slow, s3test.Page, s3test.Missing}
}

func faulty() Options { return Options{Stall: 400 * time.Millisecond, Patience: 2 * time.Minute} }

// The contract holds behind a proxy that spoils what is read, and contradicts itself about
// what is put. (Nothing stalls or is truncated: that is for the next tests.)
func TestContractBehindFaults(t *testing.T) {
	t.Parallel() // it waits more than it works
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind := start(t)
			d := newCards(t, 12, map[string][]s3test.Fault{"": reading()[2:], http.MethodPut: {s3test.Refuse, s3test.Contend, s3test.Slow}})
			server := behind.Proxy(t, d.choose)
			n := 0
			storetest.Run(t, func(t testing.TB) store.Store {
				n++
				bucket := fmt.Sprintf("archive-%d", n)
				behind.Bucket(t, bucket, s3test.Plain)
				return open(t, server, "s3://"+bucket+"/kept", Options{Patience: time.Minute})
			})
		})
	}
}

// outcome is what a Put said.
type outcome int

const (
	won outcome = iota
	lost
	unknown
)

func outcomeOf(t *testing.T, err error) outcome {
	switch {
	case err == nil:
		return won
	case errors.Is(err, store.ErrChanged):
		return lost
	case !errors.Is(err, problem.ErrUnavailable):
		t.Errorf("put: %v", err)
	}
	return unknown
}

// content is what there is by a name, from the server itself; false: nothing is there.
func content(t *testing.T, s *Store, name string) (string, string, bool) {
	t.Helper()
	r, f, err := s.Open(t.Context(), name, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b), f.Stamp, true
}

func writing() []s3test.Fault {
	return []s3test.Fault{s3test.Drop, s3test.DropAfter, s3test.Busy, s3test.BusyAfter, s3test.Refuse, s3test.RefuseAfter, s3test.Contend, s3test.Damage, s3test.Page, s3test.Missing, s3test.Slow, s3test.Stall}
}

// Of many that put what is absent one wins at most, whatever happens to their requests:
// what Put says is true, and what is there is whole.
func TestOneWinnerBehindFaults(t *testing.T) {
	t.Parallel() // it waits more than it works
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind := start(t)
			behind.Bucket(t, "archive", s3test.Plain)
			direct := open(t, behind, "s3://archive", Options{})
			d := newCards(t, 3, map[string][]s3test.Fault{"": reading(), http.MethodPut: writing()})
			s := open(t, behind.Proxy(t, d.choose), "s3://archive", faulty())
			told := map[outcome]int{}
			for round := range 6 {
				at := fmt.Sprintf("2026/FX%d.json", round)
				contents, stamps, outcomes := make([]string, 6), make([]string, 6), make([]outcome, 6)
				var all sync.WaitGroup
				for i := range contents {
					contents[i] = strings.Repeat(fmt.Sprintf("round %d, rival %d. ", round, i), 50)
					all.Go(func() {
						stamp, err := s.Put(t.Context(), at, strings.NewReader(contents[i]), store.Absent())
						stamps[i], outcomes[i] = stamp, outcomeOf(t, err)
					})
				}
				all.Wait()
				is, stamp, there := content(t, direct, at)
				whose := slices.Index(contents, is)
				if there && (whose < 0 || outcomes[whose] == lost) {
					t.Errorf("there is %q, of %d, who was told of %v", is, whose, outcomes)
				}
				for i, o := range outcomes {
					told[o]++
					if o == won && (i != whose || stamps[i] != stamp) {
						t.Errorf("%d was told that it won, with %s; %d did, with %s", i, stamps[i], whose, stamp)
					}
				}
				if !there && slices.ContainsFunc(outcomes, func(o outcome) bool { return o == lost }) {
					t.Errorf("nothing is there, and somebody was told that something is")
				}
			}
			t.Logf("%d won, %d lost, of %d nobody knows", told[won], told[lost], told[unknown])
			d.metAll(t)
		})
	}
}

// One that puts again and again under the condition that nobody else did is never told that
// somebody did: its own put, whose answer was lost, is nobody else's.
func TestOwnPutBehindFaults(t *testing.T) {
	t.Parallel() // it waits more than it works
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			behind := start(t)
			behind.Bucket(t, "archive", s3test.Versioned)
			direct := open(t, behind, "s3://archive", Options{})
			d := newCards(t, 2, map[string][]s3test.Fault{"": reading(), http.MethodPut: writing()})
			s := open(t, behind.Proxy(t, d.choose), "s3://archive", faulty())
			when := store.Absent()
			for i := range 25 {
				want := fmt.Sprintf("version %d", i)
				stamp, err := s.Put(t.Context(), "FX1.json", strings.NewReader(want), when)
				switch outcomeOf(t, err) {
				case won:
					if is, at, _ := content(t, direct, "FX1.json"); is != want || at != stamp {
						t.Fatalf("there is %q, with %s; want %q with %s", is, at, want, stamp)
					}
					when = store.Unchanged(stamp)
				case lost:
					t.Fatalf("version %d: %v", i, err)
				case unknown:
					if _, at, there := content(t, direct, "FX1.json"); there {
						when = store.Unchanged(at)
					}
				}
			}
			d.metAll(t)
		})
	}
}

// Many count in one file. Each increment that was told is there, and none that was refused.
func TestCountBehindFaults(t *testing.T) {
	t.Parallel() // it waits more than it works
	behind := s3test.Fake(t)
	behind.Bucket(t, "archive", s3test.Plain)
	direct := open(t, behind, "s3://archive", Options{})
	put1(t, direct, "count", "0", store.Absent())
	d := newCards(t, 3, map[string][]s3test.Fault{"": reading(), http.MethodPut: slices.DeleteFunc(writing(), func(f s3test.Fault) bool { return f == s3test.RefuseAfter })})
	s := open(t, behind.Proxy(t, d.choose), "s3://archive", faulty())
	var mu sync.Mutex
	told := map[outcome]int{}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 10 {
				r, f, err := s.Open(t.Context(), "count", 0)
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(r)
				_ = r.Close()
				n, bad := strconv.Atoi(string(b))
				if err != nil || bad != nil {
					continue // it was replaced while it was read, and says so
				}
				_, err = s.Put(t.Context(), "count", strings.NewReader(strconv.Itoa(n+1)), store.Unchanged(f.Stamp))
				mu.Lock()
				told[outcomeOf(t, err)]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	is, _, _ := content(t, direct, "count")
	if n, err := strconv.Atoi(is); err != nil || n < told[won] || n > told[won]+told[unknown] {
		t.Errorf("counted to %s; told: %d won, %d lost, %d unknown", is, told[won], told[lost], told[unknown])
	}
	d.metAll(t)
}

// What is read is whole, over as many connections as it takes, or ends with an error; and
// a list is whole.
func TestReadBehindFaults(t *testing.T) {
	t.Parallel() // it waits more than it works
	behind := s3test.Fake(t)
	behind.Bucket(t, "archive", s3test.Plain)
	direct := open(t, behind, "s3://archive", Options{})
	large := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(large)
	put1(t, direct, "large.pdf", string(large), store.Absent())
	for i := range 1100 { // more than a page
		put1(t, direct, fmt.Sprintf("list/FX%d.json", i), "{}", store.Absent())
	}
	d := newCards(t, 2, map[string][]s3test.Fault{"": reading()})
	s := open(t, behind.Proxy(t, d.choose), "s3://archive", faulty())
	for i := range 8 {
		offset := int64(i) * 1000
		r, f, err := s.Open(t.Context(), "large.pdf", offset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		_ = r.Close()
		if err != nil || f.Size != int64(len(large)) || !bytes.Equal(got, large[offset:]) {
			t.Errorf("at %d: %d bytes of %+v, %v", offset, len(got), f, err)
		}
		n := 0
		for _, err := range s.List(t.Context(), "list/") {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 1100 {
			t.Errorf("%d are listed", n)
		}
	}
	if d.met[s3test.Truncate] == 0 {
		t.Error("nothing was truncated")
	}
	always := behind.Proxy(t, func(r *http.Request) s3test.Fault {
		if strings.HasSuffix(r.URL.Path, ".pdf") {
			return s3test.Truncate
		}
		return s3test.None
	})
	put1(t, direct, "small.pdf", "x", store.Absent()) // of which half is nothing
	r, _, err := open(t, always, "s3://archive", faulty()).Open(t.Context(), "small.pdf", 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, problem.ErrUnavailable) || len(got) > 0 {
		t.Errorf("got %q, %v", got, err)
	}
	_ = r.Close()
}

// cutting ends the bodies of documents in the middle, as if that were their end: of large
// ones, and of a single byte.
type cutting struct{ http.RoundTripper }

func (c cutting) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(req)
	if err == nil && req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, ".pdf") && (res.ContentLength > 1<<10 || res.ContentLength == 1) {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, res.ContentLength/2), res.Body}
	}
	return res, err
}

// A body that ends early without an error is no short file.
func TestEarlyEnd(t *testing.T) {
	server := s3test.Fake(t)
	server.Bucket(t, "archive", s3test.Plain)
	s := open(t, server, "s3://archive", Options{Around: func(rt http.RoundTripper) http.RoundTripper { return cutting{rt} }})
	put1(t, s, "FX1.pdf", strings.Repeat("x", 1<<16), store.Absent())
	if got, _, _ := content(t, s, "FX1.pdf"); len(got) != 1<<16 {
		t.Errorf("%d bytes", len(got))
	}
	put1(t, s, "FX2.pdf", "x", store.Absent())
	r, _, err := s.Open(t.Context(), "FX2.pdf", 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, problem.ErrUnavailable) {
		t.Errorf("%q, %v", got, err)
	}
	_ = r.Close()
}

// A HEAD that something in between answered says nothing of what is there, were it empty.
func TestEmptyBehindFaults(t *testing.T) {
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			behind := start(t)
			behind.Bucket(t, "archive", s3test.Plain)
			put1(t, open(t, behind, "s3://archive", Options{}), "FX1.pdf", "", store.Absent())
			var heads atomic.Int64
			s := open(t, behind.Proxy(t, func(r *http.Request) s3test.Fault {
				if r.Method == http.MethodHead && heads.Add(1) == 1 {
					return s3test.Missing
				}
				return s3test.None
			}), "s3://archive", Options{})
			if f, err := s.Stat(t.Context(), "FX1.pdf"); err != nil || f.Size != 0 || f.Stamp == "" || heads.Load() != 2 {
				t.Errorf("%+v, %v, after %d requests", f, err, heads.Load())
			}
		})
	}
}

// A server that takes everything, whatever its condition, is told before anything is put.
func TestConditionsIgnored(t *testing.T) {
	behind := s3test.Fake(t)
	for header, other := range map[string]string{"If-None-Match": "If-Match", "If-Match": "If-None-Match"} {
		bucket := strings.ToLower(header)
		behind.Bucket(t, bucket, s3test.Plain)
		server := behind.Proxy(t, func(r *http.Request) s3test.Fault {
			r.Header.Del(header)
			return s3test.None
		})
		s := open(t, server, "s3://"+bucket, Options{})
		_, err := s.Put(t.Context(), "FX1.json", strings.NewReader("{}"), store.Absent())
		if !errors.Is(err, problem.ErrUnsupported) || !strings.Contains(err.Error(), header) || strings.Contains(err.Error(), other+":") {
			t.Errorf("without %s: %v", header, err)
		}
		if _, err := s.Stat(t.Context(), "FX1.json"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without %s it was put: %v", header, err)
		}
	}
}

// What was damaged on its way, and is kept by a server that checks nothing, is found.
func TestDamageIsFound(t *testing.T) {
	behind := s3test.Fake(t)
	behind.Bucket(t, "archive", s3test.Plain)
	left := 2
	server := behind.Proxy(t, func(r *http.Request) s3test.Fault {
		if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, ".pdf") {
			return s3test.None
		}
		r.Header.Del("Content-Md5") // then the fake takes anything
		if left--; left < 0 {
			return s3test.None
		}
		return s3test.Damage
	})
	direct := open(t, behind, "s3://archive", Options{})
	s := open(t, server, "s3://archive", Options{})
	for _, when := range []store.Condition{{}, store.Absent()} {
		left = 2
		put1(t, s, fmt.Sprintf("FX%v.pdf", when.Absent), "the document", when)
		if is, _, _ := content(t, direct, fmt.Sprintf("FX%v.pdf", when.Absent)); is != "the document" {
			t.Errorf("there is %q", is)
		}
	}
	left = 1 << 30
	s = open(t, server, "s3://archive", Options{Patience: time.Second})
	if _, err := s.Put(t.Context(), "FX.pdf", strings.NewReader("the document"), store.Absent()); !errors.Is(err, problem.ErrUnavailable) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
}
