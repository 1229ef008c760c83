package archive_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

var errKilled = errors.New("killed")

// A crowd is prunes, holds and others that are at one fax of an archive that has no lock,
// each as a process of its own. One of them takes one step at a time, in any order, and any
// of them may be killed before a step.
type crowd struct {
	t     *testing.T
	dir   string
	dice  *rand.Rand
	truth *archive.FakeFaxes
	f     fax.Fax
	other *archive.Archive
	steps []string

	told bool // that the fax is held
}

// member is a process.
type member struct {
	*crowd
	name          string
	arrived, done chan struct{}
	next          chan bool // false: it is killed
	killed        bool
}

// gate waits for the turn of the process.
func (m *member) gate(what string) error {
	if m.killed {
		return errKilled
	}
	m.arrived <- struct{}{}
	if m.killed = !<-m.next; m.killed {
		m.steps = append(m.steps, m.name+" is killed before "+what)
		return errKilled
	}
	m.steps = append(m.steps, m.name+": "+what)
	return nil
}

// provider is the truth as a process meets it.
type provider struct {
	*archive.FakeFaxes
	m     *member
	named bool // whoever deletes goes by the id alone, and needs no copy
}

func (p provider) Get(ctx context.Context, id string) (fax.Fax, error) {
	if err := p.m.gate("GET"); err != nil {
		return fax.Fax{}, err
	}
	return p.FakeFaxes.Get(ctx, id)
}

func (p provider) Media(ctx context.Context, id string) iter.Seq2[fax.Media, error] {
	if err := p.m.gate("GET media"); err != nil {
		return func(yield func(fax.Media, error) bool) { yield(fax.Media{}, err) }
	}
	return p.FakeFaxes.Media(ctx, id)
}

// Delete is carried out or not, and answered or not.
func (p provider) Delete(ctx context.Context, id string) error {
	if err := p.m.gate("DELETE"); err != nil {
		return err
	}
	if _, err := p.FakeFaxes.Get(ctx, id); err == nil { // otherwise it finds nothing to delete
		if p.m.told {
			p.m.t.Errorf("%s deletes a fax that is held", p.m.name)
		}
		if _, whole := p.m.look(); !whole && !p.named {
			p.m.t.Errorf("%s deletes a fax that is not kept", p.m.name)
		}
	}
	switch n := p.m.dice.IntN(6); {
	case n > 2:
		return fmt.Errorf("refused: %w", problem.ErrConflict)
	case n == 1:
		return fmt.Errorf("no answer: %w", problem.ErrUnavailable)
	case n == 2:
		return errors.Join(p.FakeFaxes.Delete(ctx, id), fmt.Errorf("no answer: %w", problem.ErrUnavailable))
	}
	return p.FakeFaxes.Delete(ctx, id)
}

// look is what is kept of the fax, with eyes of its own.
func (c *crowd) look() (sidecar *archive.Entry, whole bool) {
	c.t.Helper()
	stem := filepath.Join(c.dir, filepath.FromSlash(c.f.Created.UTC().Format("2006/01/02")), c.f.ID)
	data, err := os.ReadFile(stem + ".json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false
	}
	if err == nil {
		err = json.Unmarshal(data, &sidecar)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	document, err := os.ReadFile(stem + ".pdf")
	sum := sha256.Sum256(document)
	return sidecar, err == nil && sidecar.Document != nil && hex.EncodeToString(sum[:]) == sidecar.Document.SHA256
}

func (m *member) prune(a *archive.Archive) {
	run := prune.Run{
		Archive: a, Provider: fax.Provider{Faxes: provider{m.truth, m, false}}, MaxDocument: fetch.MaxDocument, Jobs: 1,
		Receipt: func(r prune.Receipt) error { return m.gate("receipt: " + string(r.Result)) },
	}
	_, _ = run.Delete(context.Background(), context.Background(), fax.Pack(m.f), func(error) {}, func(error) {})
}

// named deletes by the id, as a person does who has no policy.
func (m *member) named(a *archive.Archive) {
	run := prune.Run{Archive: a, Provider: fax.Provider{Faxes: provider{m.truth, m, true}}}
	_, _ = run.Named(context.Background(), m.f.ID)
}

func (m *member) hold(a *archive.Archive) {
	for range 3 {
		if _, err := a.Hold(context.Background(), m.f.ID, "case 1"); err == nil {
			m.steps, m.told = append(m.steps, m.name+" is told that it is held"), true
		} else if m.steps = append(m.steps, m.name+": "+err.Error()); m.killed {
			return
		}
		if m.dice.IntN(3) == 0 {
			m.told = false
			_, _ = a.Unhold(context.Background(), m.f.ID)
		}
	}
}

func (m *member) save(a *archive.Archive) {
	for range 2 {
		news := m.f
		news.Updated = time.Unix(m.dice.Int64N(1e9), 0)
		_, _, _ = a.SaveNews(context.Background(), provider{m.truth, m, false}, news)
	}
}

func (m *member) remove(a *archive.Archive) {
	_ = a.Remove(context.Background(), m.f.ID, func(_ archive.Entry, damage error) error { return damage })
}

// run has all of them at it at once, until they have ended.
func (c *crowd) run(killable bool, doing ...func(*member, *archive.Archive)) {
	var all []*member
	for i, do := range doing {
		m := &member{crowd: c, name: fmt.Sprint("process ", i), arrived: make(chan struct{}), done: make(chan struct{}), next: make(chan bool)}
		a := archive.OpenShared(c.t, c.dir, c.other, m.gate)
		go func() {
			defer close(m.done)
			do(m, a)
		}()
		if m.comes() {
			all = append(all, m)
		}
	}
	for len(all) > 0 {
		i := c.dice.IntN(len(all))
		all[i].next <- !c.t.Failed() && (!killable || c.dice.IntN(60) != 0)
		if !all[i].comes() {
			all = slices.Delete(all, i, i+1)
		}
		if e, whole := c.look(); c.told && (e == nil || e.Hold == nil || !whole) {
			c.t.Errorf("it is told that it is held, and is not: %+v, whole: %v", e, whole)
		}
	}
}

// comes reports whether there is a next step, or the process has ended.
func (m *member) comes() bool {
	select {
	case <-m.arrived:
		return true
	case <-m.done:
		return false
	}
}

// Whatever the order of their steps, and wherever they are killed: no fax is deleted at the
// provider that was held before its DELETE began, none that is not kept whole, and who is
// told that a fax is held can rely on that.
func TestLeavingInAnyOrder(t *testing.T) {
	const seed = 17
	var held, deleted, late int
	other, err := archive.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	for n := range uint64(*orders) {
		c := &crowd{t: t, dir: t.TempDir(), dice: rand.New(rand.NewPCG(seed, n)), other: other}
		d, faxes := archive.Fill(t, 1)
		c.truth, c.f = d, faxes[0]
		c.run(false, (*member).save)
		others := []func(*member, *archive.Archive){(*member).prune, (*member).named, (*member).save, (*member).remove}
		c.dice.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
		c.run(true, append(others[:2+c.dice.IntN(3)], (*member).hold, (*member).prune)...)
		c.run(false, (*member).prune)
		e, _ := c.look()
		_, err := d.Get(t.Context(), c.f.ID)
		switch there := err == nil; {
		case e != nil && e.Hold != nil:
			held++
		case e != nil && !e.Removing.IsZero():
		case !there:
			deleted++
		}
		for _, step := range c.steps {
			if strings.Contains(step, "being deleted") {
				late++
				break
			}
		}
		if t.Failed() {
			t.Fatalf("order %d of seed %d:\n%s", n, seed, strings.Join(c.steps, "\n"))
		}
	}
	t.Logf("of %d: held %d, deleted %d, came too late %d", *orders, held, deleted, late)
	if held == 0 || deleted == 0 || late == 0 {
		t.Error("something never happens")
	}
}

var orders = flag.Int("orders", 40, "in which processes take their steps, in TestLeavingInAnyOrder")

// vanishing is a provider that is away from the DELETE on.
type vanishing struct {
	*archive.FakeFaxes
	away *bool
}

func (v vanishing) Delete(context.Context, string) error {
	*v.away = true
	return problem.ErrUnavailable
}

func (v vanishing) Get(ctx context.Context, id string) (fax.Fax, error) {
	if *v.away {
		return fax.Fax{}, problem.ErrUnavailable
	}
	return v.FakeFaxes.Get(ctx, id)
}

// Each prune takes back its own word alone, and only when it knows.
func TestDeletingEnds(t *testing.T) {
	other, err := archive.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	d, faxes := archive.Fill(t, 2)
	a := archive.OpenShared(t, t.TempDir(), other, func(string) error { return nil })
	for _, f := range faxes {
		if _, _, err := a.Save(t.Context(), d, f); err != nil {
			t.Fatal(err)
		}
	}
	id := faxes[0].ID
	kept, err := a.Secure(t.Context(), d, faxes[0], false)
	if err != nil {
		t.Fatal(err)
	}
	var begun []time.Time
	for range 2 {
		at, err := a.BeginDeleting(t.Context(), kept)
		if err != nil {
			t.Fatal(err)
		}
		begun = append(begun, at)
	}
	for _, at := range begun {
		if _, err := a.Hold(t.Context(), id, "case 1"); !errors.As(err, new(*archive.LeavingError)) || !errors.Is(err, problem.ErrConflict) {
			t.Errorf("while a prune is at it: %v", err)
		}
		if err := a.NotDeleted(t.Context(), id, at); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Hold(t.Context(), id, "case 1"); err != nil {
		t.Error(err)
	}
	if _, err := a.BeginDeleting(t.Context(), kept); !errors.As(err, new(*archive.HeldError)) {
		t.Errorf("a fax that is held: %v", err)
	}

	away := false
	run := prune.Run{Archive: a, Provider: fax.Provider{Faxes: vanishing{d, &away}}, MaxDocument: fetch.MaxDocument, Jobs: 1}
	if out, err := run.Delete(t.Context(), t.Context(), fax.Pack(faxes[1:]...), func(error) {}, func(error) {}); out.Failed != 1 || err == nil {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := a.Hold(t.Context(), faxes[1].ID, "case 1"); !errors.As(err, new(*archive.LeavingError)) {
		t.Errorf("after a DELETE of which nobody knows: %v", err)
	}
}
