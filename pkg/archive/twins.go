package archive

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// A fax has one sidecar. Where a provider gave it another date later, or somebody put a file
// back by hand, there may be two, in the folders of two days: either may tell of a hold, and
// nobody knows which counts. Such a fax is neither deleted at the provider nor removed. The
// index has a row for one of them: rather for that which tells of a hold, then for that which
// its date does not lead to, so that who looks at both finds both.

// twins are keys of sidecars, by the id of their fax.
type twins map[string][]string

// Survey lists what is there before faxes are let go, so that a sidecar counts wherever it
// is, as one that was put back by hand into the folder of another day, and a document whose
// sidecar is lost counts as well. It takes some 100 bytes a fax while it lists, of which next
// to nothing stays, and is done once by itself; who goes on for days does it anew.
func (a *Archive) Survey(ctx context.Context) error {
	a.surveying.Lock()
	defer a.surveying.Unlock()
	return a.surveyNow(ctx)
}

func (a *Archive) surveyNow(ctx context.Context) error {
	var led, sidecars hashes // where the index leads, and ids
	var documents []orphan
	for row, err := range a.index.Stamps(ctx) {
		if err != nil {
			return err
		}
		if a.believed(row) == nil {
			led = append(led, maphash.String(a.seed, row.Key))
		}
	}
	slices.Sort(led)
	s := survey{strays: twins{}}
	for f, err := range a.walk(ctx) {
		if err != nil {
			return err
		}
		ext := path.Ext(f.Name)
		key := strings.TrimSuffix(f.Name, ext)
		id := path.Base(key)
		switch ext {
		case sidecarExt:
			sidecars = append(sidecars, maphash.String(a.seed, id))
			if !led.have(maphash.String(a.seed, f.Name)) {
				s.strays[id] = append(s.strays[id], key)
			}
		case ".pdf", ".tiff":
			documents = append(documents, orphan{maphash.String(a.seed, id), f.Written.UnixNano()})
		}
	}
	slices.Sort(sidecars)
	orphans := slices.DeleteFunc(documents, func(d orphan) bool { return sidecars.have(d.id) })
	s.orphans = slices.Clone(orphans) // without room for all documents
	a.surveyed = &s
	return nil
}

// survey is what [Archive.Survey] found.
type survey struct {
	strays  twins
	orphans []orphan
}

// orphan is a document without a sidecar: the hash of its id, and when it was put there, in
// nanoseconds since 1970.
type orphan struct {
	id      uint64
	written int64
}

// left is how long a document may be without its sidecar because a run was cut off, which
// the next run of that kind makes good.
const left = 24 * time.Hour

// hashes are sorted.
type hashes []uint64

func (h hashes) have(one uint64) bool {
	_, found := slices.BinarySearch(h, one)
	return found
}

// survey is the last one, or the first.
func (a *Archive) survey(ctx context.Context) (*survey, error) {
	a.surveying.Lock()
	defer a.surveying.Unlock()
	if a.surveyed == nil {
		if err := a.surveyNow(ctx); err != nil {
			return nil, err
		}
	}
	return a.surveyed, nil
}

// alone fails with [ErrDamagedCopy] when a fax has another sidecar than the one that was
// found: where the index leads ("": nowhere), where its date does, as the provider says it
// (zero: it was not asked) or as it is kept, or wherever else a list has met one.
func (a *Archive) alone(ctx context.Context, f fax.Fax, l located, listed string) error {
	met, err := a.survey(ctx)
	if err != nil {
		return err
	}
	places := append([]string{listed, keyOf(f), keyOf(l.Fax)}, met.strays[f.ID]...)
	slices.Sort(places)
	for _, place := range slices.Compact(places) {
		if place == l.key || place == "" {
			continue
		}
		if there, err := a.anythingAt(ctx, place+sidecarExt); err != nil {
			return err
		} else if there {
			return a.errTwins(f.ID, l.key, place)
		}
	}
	return nil
}

// anythingAt reports whether a name stands for anything, a file or not.
func (a *Archive) anythingAt(ctx context.Context, name string) (bool, error) {
	_, err := a.files.Stat(ctx, name)
	if err != nil && away(ctx, err) {
		return false, err
	}
	return !errors.Is(err, fs.ErrNotExist), nil
}

// anywhere is what is known of a fax that has no sidecar where its date and the index lead: a
// sidecar in an unlikely place, or l. [ErrDamagedCopy]: a document is there that had one, in
// which a hold may have been noted.
func (a *Archive) anywhere(ctx context.Context, id string, l located, found bool) (located, bool, error) {
	met, err := a.survey(ctx)
	if err != nil {
		return located{}, false, err
	}
	for _, key := range met.strays[id] {
		if other, there, err := a.sidecarOrRow(ctx, Entry{}, key, false); err != nil || there {
			return other, there, err
		}
	}
	i := slices.IndexFunc(met.orphans, func(o orphan) bool { return o.id == maphash.String(a.seed, id) })
	if l.Hold == nil && i >= 0 {
		return located{}, false, problem.With(fmt.Errorf("fax %s: %w: %w", id, ErrDamagedCopy, orphanError(time.Unix(0, met.orphans[i].written))),
			problem.Say("a hold may have been noted in that: bring it back from a backup, or have %s keep the fax anew", problem.Command("faxes", "archive").Set("to", a.dir)))
	}
	return l, found, nil
}

// orphanError is a document without a sidecar, since it was put there.
type orphanError time.Time

func (orphanError) Error() string { return "its document is there without a sidecar" }

// isCutOff reports whether an error is about what a run may have left that was cut off.
func isCutOff(err error) bool {
	var since orphanError
	return errors.As(err, &since) && time.Since(time.Time(since)) < left
}

func (a *Archive) errTwins(id, one, other string) error {
	return problem.With(fmt.Errorf("fax %s: %w: it has two sidecars, %s and %s", id, ErrDamagedCopy, one+sidecarExt, other+sidecarExt),
		problem.Say("either may tell of a hold: look at both, move the wrong one out of the archive with its document, then %s", problem.Command("archive", "reindex").Arg(a.dir)))
}

// single leaves out the rows of faxes that the index has a better one of, made from another
// sidecar that is there still. What the index knows to be held stays so.
func (r *reconciling) single(ctx context.Context, rows []index.Row) ([]index.Row, error) {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row.Fax.ID
	}
	known, err := r.a.index.Among(ctx, ids)
	if err != nil {
		return nil, err
	}
	best := map[string]index.Row{}
	for _, row := range known {
		if r.a.believed(row) == nil {
			best[row.Fax.ID] = row
		}
	}
	var news []index.Row
	for _, row := range rows {
		other, found := best[row.Fax.ID]
		if found && other.Key != row.Key {
			there, err := r.a.anythingAt(ctx, other.Key)
			if err != nil {
				return nil, err
			}
			if there {
				r.meet(row, other)
			}
			if there && !better(row, other) {
				continue
			}
		}
		if found && other.Held {
			if row, err = r.stillHeld(ctx, row, other); err != nil {
				return nil, err
			}
		}
		best[row.Fax.ID] = row
		news = append(news, row)
	}
	return news, nil
}

// stillHeld is the row of a sidecar of a fax that the index knows to be held. When it does not
// tell of that hold, both may have been written meanwhile, by others, so that it is read once
// more. A hold that was lost is kept without a stamp, so that each look finds it.
func (r *reconciling) stillHeld(ctx context.Context, row, known index.Row) (index.Row, error) {
	told, err := entryOf(row.Entry)
	if err != nil || told.tellsOf(lastKnown(known).Hold.Since) {
		return row, err
	}
	e, stamp, err := r.a.readAnySidecar(ctx, row.Key)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamagedCopy) {
		return known, nil // as the next look will find it
	} else if err != nil {
		return index.Row{}, err
	}
	l := located{Entry: e}.knowing(lastKnown(known))
	if !l.lost {
		return rowOf(e, row.Key, stamp)
	}
	if row, err = rowOf(l.Entry, row.Key, ""); err == nil {
		r.unheld = append(r.unheld, LostHold{lastKnown(known), true, row})
	}
	return row, err
}

// meet notes the sidecars of one fax.
func (r *reconciling) meet(rows ...index.Row) {
	for _, row := range rows {
		id, key := row.Fax.ID, strings.TrimSuffix(row.Key, sidecarExt)
		if !slices.Contains(r.twins[id], key) {
			r.twins[id] = append(r.twins[id], key)
		}
	}
}

// better reports whether one row is to be kept in the index rather than the other.
func better(one, other index.Row) bool {
	if one.Held != other.Held {
		return one.Held
	}
	if a, b := astray(one), astray(other); a != b {
		return a
	}
	return one.Key < other.Key
}

// astray reports whether a sidecar is where nobody looks who goes by the date of its fax.
func astray(r index.Row) bool {
	e, err := entryOf(r.Entry)
	return err != nil || e.Fax.Created.IsZero() || keyOf(e.Fax) != strings.TrimSuffix(r.Key, sidecarExt)
}

// twice finds the faxes that have several sidecars.
func (v *verification) twice(ctx context.Context) {
	files := map[string][]string{} // by id
	for name := range v.seen {
		id := strings.TrimSuffix(path.Base(name), sidecarExt)
		files[id] = append(files[id], name)
	}
	for id, names := range files {
		if len(names) > 1 {
			names = slices.DeleteFunc(names, func(name string) bool { return !v.a.there(ctx, name) }) // it was moved meanwhile
		}
		if len(names) < 2 {
			continue
		}
		slices.Sort(names)
		for i, name := range names {
			other := names[(i+1)%len(names)]
			v.report.Findings = append(v.report.Findings, Finding{id, name, Twice, problem.Say("its fax has another sidecar, %s: move the wrong one out of the archive with its document, then %s",
				problem.Text(other), problem.Command("archive", "reindex").Arg(v.a.dir))})
		}
	}
}
