package archive

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// fakeFaxes is a provider with a few faxes, and answers as a test wants them.
type fakeFaxes struct {
	fax.Faxes
	mu       sync.Mutex
	docs     map[string][]byte // by fax id; nil: the document is gone
	records  map[string]fax.Fax
	fetched  int // records, one by one
	deleted  []string
	opened   int
	conflict bool     // deleting is refused
	storage  error    // what storage answers instead of a document
	denied   error    // what asking for a record or its media is answered with
	listed   []string // documents of each fax, in place of its own
	unlisted error    // what asking for the list of documents is answered with
	silent   bool     // deleting is carried out or not, and not answered
	deaf     bool     // so is asking for a record
	lost     func()   // runs when a deletion was carried out, whose answer is lost
	before   func()   // runs before a document is opened
}

func (d *fakeFaxes) Open(_ context.Context, f fax.Fax, offset int64) (fax.Document, error) {
	if d.before != nil {
		d.before()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened++
	if d.storage != nil {
		return fax.Document{}, d.storage
	}
	doc := d.docs[f.ID]
	if doc == nil {
		return fax.Document{}, fmt.Errorf("document of %s: %w", f.ID, problem.ErrNotFound)
	}
	media := "ME" + f.ID
	if d.listed != nil {
		media = d.listed[0]
	}
	return fax.Document{
		Body: io.NopCloser(bytes.NewReader(doc[offset:])), Offset: offset, Size: int64(len(doc)), ETag: `"v1"`,
		MediaID: cmp.Or(f.MediaID, media),
	}, nil
}

// callback is a provider whose document comes with the callback.
type callback struct {
	*fakeFaxes
	body []byte
}

func (c callback) Open(context.Context, fax.Fax, int64) (fax.Document, error) {
	return fax.Document{Body: io.NopCloser(bytes.NewReader(c.body)), Size: int64(len(c.body))}, nil
}

func (d *fakeFaxes) Get(ctx context.Context, id string) (fax.Fax, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fetched++
	if d.deaf {
		return fax.Fax{}, problem.ErrUnavailable
	}
	if err := cmp.Or(ctx.Err(), d.denied); err != nil {
		return fax.Fax{}, err
	}
	if _, known := d.docs[id]; !known {
		return fax.Fax{}, problem.ErrNotFound
	}
	f := d.records[id]
	if d.docs[id] == nil {
		f.MediaID = ""
	}
	return f, nil
}

// Page is the whole list.
func (d *fakeFaxes) Page(_ context.Context, q fax.Filter, _ int, _ string) (page fax.Page[fax.Fax], err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, f := range d.records {
		if _, there := d.docs[id]; there && q.Match(f) {
			page.Items = append(page.Items, f)
		}
	}
	return page, nil
}

func (d *fakeFaxes) Media(_ context.Context, id string) iter.Seq2[fax.Media, error] {
	return func(yield func(fax.Media, error) bool) {
		d.mu.Lock()
		_, known := d.docs[id]
		gone := d.docs[id] == nil
		d.mu.Unlock()
		switch {
		case d.unlisted != nil:
			yield(fax.Media{}, d.unlisted)
		case !known:
			yield(fax.Media{}, problem.ErrNotFound)
		case d.listed != nil:
			for _, m := range d.listed {
				if !yield(fax.Media{ID: m, FaxID: id}, nil) {
					return
				}
			}
		case !gone:
			yield(fax.Media{ID: "ME" + id, FaxID: id}, nil)
		}
	}
}

func (d *fakeFaxes) Delete(ctx context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conflict {
		return problem.ErrConflict
	}
	if d.silent {
		return problem.ErrUnavailable
	}
	if _, known := d.docs[id]; !known {
		return problem.ErrNotFound
	}
	delete(d.docs, id)
	d.deleted = append(d.deleted, id)
	if d.lost != nil {
		d.lost()
		return ctx.Err()
	}
	return nil
}

func (d *fakeFaxes) DeleteMedia(_ context.Context, id, _ string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.docs[id] == nil {
		return problem.ErrNotFound
	}
	d.docs[id] = nil
	return nil
}

// fill makes a provider of n received faxes, one an hour, and returns both.
func fill(t testing.TB, n int) (*fakeFaxes, []fax.Fax) {
	t.Helper()
	d := &fakeFaxes{docs: map[string][]byte{}, records: map[string]fax.Fax{}}
	var faxes []fax.Fax
	for i := range n {
		pages := i%3 + 1
		f := received(fmt.Sprintf("FX%04d", i), pages)
		f.Created = f.Created.Add(-time.Duration(i) * time.Hour)
		d.docs[f.ID], d.records[f.ID] = sheet(t, pages, uint64(i)), f
		faxes = append(faxes, f)
	}
	return d, faxes
}

func received(id string, pages int) fax.Fax {
	return fax.Fax{
		ID: id, From: "+14155550100", To: "+14155550123", Direction: fax.Inbound, Status: fax.Received, Pages: &pages,
		MediaID: "ME" + id, Created: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Raw: json.RawMessage(`{"sid":"` + id + `","odd":[1]}`),
	}
}

func sheet(t testing.TB, pages int, seed uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Write(&b, paper.PDF, paper.Sheet{Pages: pages, Seed: seed}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// open opens an archive for the length of a test.
func open(t testing.TB, dir string) *Archive {
	t.Helper()
	a, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return a
}

func save(t testing.TB, a *Archive, d *fakeFaxes, f fax.Fax) (Entry, bool) {
	t.Helper()
	e, existed, err := a.Save(context.Background(), d, f)
	if err != nil {
		t.Fatal(err)
	}
	return e, existed
}

func saveAll(t testing.TB, a *Archive, d *fakeFaxes, faxes []fax.Fax) {
	t.Helper()
	for _, f := range faxes {
		save(t, a, d, f)
	}
}

// files lists an archive's files, its own at the top left out.
func files(t testing.TB, dir string) []string {
	t.Helper()
	all := []string{}
	for o, err := range newArchive(durable.OS{}, dir).walk(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.Name)
	}
	return all
}

func listed(t testing.TB, a *Archive, q fax.Filter) []string {
	t.Helper()
	all := []string{}
	for e, err := range a.List(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Fax.ID)
	}
	return all
}
