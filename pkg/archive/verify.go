package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Problem is what is wrong with a kept file.
type Problem string

// The problems.
const (
	Missing    Problem = "missing"    // the sidecar tells of it, or the index does, but it is not there
	Changed    Problem = "changed"    // it is not what was kept
	Unreadable Problem = "unreadable" // it cannot be read, or not understood
	Orphan     Problem = "orphan"     // a document without a sidecar
	NotKept    Problem = "not kept"   // the record names a document, which was marked as gone and is not there
	Short      Problem = "short"      // it has fewer pages than its record tells
	Unlisted   Problem = "not listed" // the index does not know of it, and says that it knows all
	Mislisted  Problem = "mislisted"  // the index leads to this, which is not of the fax
	Unfinished Problem = "unfinished" // its removal was begun, and this is left of it
	HoldLost   Problem = "hold lost"  // it is held, as the index knows, and the sidecar does not tell of that hold
	NotLocked  Problem = "not locked" // it is held, and not under a legal hold of its bucket, which has them
	Unreleased Problem = "unreleased" // it is no longer held, and the release of its legal hold was not finished
	Twice      Problem = "kept twice" // its fax has another sidecar, in the folder of another day
	Undecided  Problem = "undecided"  // its deletion at the provider was begun, and nobody knows what became of it
)

// Finding is one problem.
type Finding struct {
	ID      string         `json:"id"`
	File    string         `json:"file"` // slash-separated, in the archive
	Problem Problem        `json:"problem"`
	Detail  problem.Advice `json:"detail,omitzero"` // what is wrong, and what to do about it
}

// Report is what [Archive.Verify] found.
type Report struct {
	Entries   int       `json:"entries"`
	Documents int       `json:"documents"` // read and found as they were kept
	Bytes     int64     `json:"bytes"`     // of them
	Missing   int       `json:"missing"`   // entries whose document the provider has not given yet
	Doubtful  int       `json:"doubtful"`  // entries whose marks, of an earlier version, may be false: [Archive.AskAgain]
	Deleting  int       `json:"deleting"`  // entries whose fax is being deleted at the provider, as it seems
	Findings  []Finding `json:"findings"`  // sorted by file
	Notes     []Note    `json:"notes"`     // sorted by file: documents whose pages could not be counted, sidecars of a later version
}

// Verify reads everything again, so many files side by side, and compares it
// with what was kept. Problems are findings, not errors: an error says that
// the archive as a whole could not be read.
func (a *Archive) Verify(ctx context.Context, jobs int) (Report, error) {
	if a.writes {
		if err := a.flushRows(ctx); err != nil {
			return Report{}, err
		}
	}
	v := verification{a: a, documents: map[string]bool{}, seen: map[string]bool{}}
	names := make(chan string)
	var readers sync.WaitGroup
	for range max(jobs, 1) {
		readers.Go(func() {
			for name := range names {
				v.entry(ctx, name)
			}
		})
	}
	var walk error
	for o, err := range a.walk(ctx) {
		if err != nil {
			walk = err
			break
		}
		switch path.Ext(o.Name) {
		case sidecarExt:
			names <- o.Name
		case ".pdf", ".tiff":
			v.mu.Lock()
			if !v.documents[o.Name] {
				v.documents[o.Name] = false
			}
			v.mu.Unlock()
		}
	}
	close(names)
	readers.Wait()
	if err := cmp.Or(walk, v.failed, ctx.Err()); err != nil {
		return Report{}, err
	}
	return v.finish(ctx)
}

// verification is one Verify under way.
type verification struct {
	a *Archive

	mu        sync.Mutex
	report    Report
	documents map[string]bool // by name: has a sidecar
	seen      map[string]bool // sidecars: can be read
	failed    error           // the place where they are was not to be had
}

// fail ends it with an error.
func (v *verification) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = cmp.Or(v.failed, err)
}

// entry checks one sidecar and its document.
func (v *verification) entry(ctx context.Context, name string) {
	key := strings.TrimSuffix(name, sidecarExt)
	id := path.Base(key)
	l, err := v.a.readKnown(ctx, name)
	e := l.Entry
	if errors.Is(err, errLater) {
		v.addNote(Note{id, name, problem.Say("its sidecar was written by a later version: it is not changed, and its fax not deleted")})
		err = nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return // finish asks the index whether it should be there
	}
	if err != nil && !errors.Is(err, ErrDamagedCopy) {
		v.fail(err)
		return
	}
	if err != nil {
		v.addFinding(name, func() { // the document beside it is no orphan: nobody knows
			v.documents[key+".pdf"], v.documents[key+".tiff"] = true, true
		}, new(unreadableSidecar(name, err)))
		return
	}
	count := func() {
		v.report.Entries++
		if e.Document == nil && e.DocumentMissing {
			v.report.Missing++
		}
		if e.doubtful() {
			v.report.Doubtful++
		}
		if len(e.Deleting) > 0 {
			v.report.Deleting++
		}
	}
	finding, doc := v.document(ctx, name, e)
	if finding != nil && finding.Problem == Missing || !e.Removing.IsZero() {
		left, err := v.removed(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			return
		} else if left {
			finding = &Finding{id, name, Unfinished, problem.Say("its removal was begun: %s finishes it", problem.Command("archive", "remove").Arg(v.a.dir).Arg(id))}
		}
	}
	if err := v.legalHold(ctx, name); err != nil {
		v.fail(err)
		return
	}
	v.addFinding(name, func() {
		count()
		if doc != "" {
			v.documents[doc] = true
		}
		if finding == nil && e.Document != nil {
			v.report.Documents++
			v.report.Bytes += e.Document.Size
		}
		if l.lost {
			v.report.Findings = append(v.report.Findings, Finding{id, name, HoldLost, problem.Say("it was held (%s), of which this sidecar tells nothing: %s holds it again, %s lets it go", problem.Text(text.Line(e.Hold.Reason)),
				problem.Command("archive", "hold").Arg(v.a.dir).Arg(id).Set("reason", e.Hold.Reason), problem.Command("archive", "unhold").Arg(v.a.dir).Arg(id))})
		}
		if e.Unsettled() {
			v.report.Findings = append(v.report.Findings, Finding{id, name, Undecided, problem.Say("its deletion at the provider was begun at %s, and nobody noted what became of it: %s",
				problem.Text(e.Deleting[0].Format(time.RFC3339)), problem.Command("archive", "reindex").Arg(v.a.dir).Switch("ask"))})
		}
	}, finding)
}

// document checks the document of an entry, and tells its name: "" when there is none.
func (v *verification) document(ctx context.Context, sidecar string, e Entry) (*Finding, string) {
	key := strings.TrimSuffix(sidecar, sidecarExt)
	id := path.Base(key)
	if e.Document == nil {
		if e.marked() && e.Fax.HasDocument() {
			return &Finding{id, sidecar, NotKept, problem.Say("its record names a document; no copy is kept, and it was marked as gone")}, ""
		}
		return nil, ""
	}
	doc := documentName(key, e.Document)
	finding, err := v.a.checkDocument(ctx, id, doc, e.Document, io.Discard)
	if err == nil && finding == nil {
		finding, err = v.pages(ctx, doc, e)
	}
	v.fail(err)
	return finding, doc
}

// removed looks at the sidecar of a fax again that is not whole: whoever writes may be
// removing it just now, and takes a moment. It reports whether the rest is left; an
// error, as fs.ErrNotExist, is that of the sidecar.
func (v *verification) removed(ctx context.Context, name string) (left bool, err error) {
	for end := time.Now().Add(flushed); ; {
		live := v.a.written()
		e, _, err := v.a.readAnySidecar(ctx, name)
		if err != nil || e.Removing.IsZero() || !live || v.a.turn != nil || time.Now().After(end) {
			return err == nil && !e.Removing.IsZero(), err
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(delay):
		}
	}
}

func (v *verification) addFinding(sidecar string, count func(), finding *Finding) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seen[sidecar] = finding == nil || finding.Problem != Unreadable || finding.File != sidecar
	count()
	if finding != nil {
		v.report.Findings = append(v.report.Findings, *finding)
	}
}

func (v *verification) addNote(n Note) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Notes = append(v.report.Notes, n)
}

// late checks the sidecars that came after their document was met, as of a fax that was kept
// meanwhile.
func (v *verification) late(ctx context.Context) {
	var sidecars []string
	for name, claimed := range v.documents {
		sidecar := strings.TrimSuffix(name, path.Ext(name)) + sidecarExt
		if _, seen := v.seen[sidecar]; !claimed && !seen && v.a.there(ctx, sidecar) {
			sidecars = append(sidecars, sidecar)
		}
	}
	for _, sidecar := range sidecars {
		v.entry(ctx, sidecar)
	}
}

// finish looks for what has no sidecar, and for sidecars without a row.
func (v *verification) finish(ctx context.Context) (Report, error) {
	v.late(ctx)
	if v.failed != nil {
		return Report{}, v.failed
	}
	for name, claimed := range v.documents {
		if !claimed && v.a.there(ctx, name) {
			id := strings.TrimSuffix(path.Base(name), path.Ext(name))
			v.report.Findings = append(v.report.Findings, Finding{id, name, Orphan, problem.Say("a document without a sidecar: %s", KeepAnew(v.a.dir))})
		}
	}
	v.twice(ctx)
	for row, err := range v.a.index.Stamps(ctx) {
		if err != nil {
			return Report{}, err
		}
		if v.a.believed(row) != nil {
			v.report.Findings = append(v.report.Findings, v.a.mislisted(row))
			continue
		}
		if _, seen := v.seen[row.Key]; seen {
			delete(v.seen, row.Key)
			continue
		}
		// Kept after the walk went by, or gone.
		switch _, _, err := v.a.readAnySidecar(ctx, row.Key); {
		case errors.Is(err, fs.ErrNotExist):
			known, _, listed, err := v.a.findRow(ctx, row.Fax.ID)
			switch {
			case err != nil:
				return Report{}, err
			case listed && known.Hold != nil:
				v.report.Findings = append(v.report.Findings, Finding{row.Fax.ID, row.Key, Missing, problem.Say("the index knows of it, and that it was held: " + known.Hold.Reason)})
			case listed && (!v.a.shared || v.a.common): // otherwise it was removed
				v.report.Findings = append(v.report.Findings, Finding{row.Fax.ID, row.Key, Missing, problem.Say("the index knows of it")})
			}
		case err != nil && !errors.Is(err, ErrDamagedCopy):
			return Report{}, err
		case err != nil:
			v.report.Findings = append(v.report.Findings, unreadableSidecar(row.Key, err))
		}
	}
	if err := v.unlisted(ctx); err != nil {
		return Report{}, err
	}
	slices.SortFunc(v.report.Findings, func(a, b Finding) int { return cmp.Compare(a.File, b.File) })
	slices.SortFunc(v.report.Notes, byFile)
	return v.report, ctx.Err()
}

// flushed is how long a row may be on its way to the index, at most. It takes a
// fraction of that.
const flushed = 10 * time.Second

// unlisted finds the sidecars that the index has no row for. Those of a moment ago
// it may get.
func (v *verification) unlisted(ctx context.Context) error {
	if v.a.inMemory || v.a.shared && !v.a.common {
		return nil // it was made of the sidecars that were there
	}
	for end := time.Now().Add(flushed); ; {
		live := v.a.written()
		var left []Finding
		for name, readable := range v.seen {
			id := strings.TrimSuffix(path.Base(name), sidecarExt)
			_, _, found, err := v.a.findRow(ctx, id)
			if err != nil && !errors.Is(err, errAstray) { // which is told already
				return err
			}
			if !readable || found {
				continue
			}
			stamp, err := v.a.sidecarStamp(ctx, strings.TrimSuffix(name, sidecarExt))
			if err != nil {
				return err
			}
			if stamp != "" {
				left = append(left, Finding{id, name, Unlisted, problem.Say("the index does not know of it: %s", problem.Command("archive", "reindex").Arg(v.a.dir))})
			}
		}
		if len(left) == 0 || !live || time.Now().After(end) {
			v.report.Findings = append(v.report.Findings, left...)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(delay):
		}
	}
}

// mislisted is the finding about a row that is not believed.
func (a *Archive) mislisted(r index.Row) Finding {
	return Finding{r.Fax.ID, r.Key, Mislisted, problem.Say("the index leads here, which is not of this fax: %s makes it anew", problem.Command("archive", "reindex").Arg(a.dir))}
}

// unreadableSidecar is the finding about a sidecar that could not be loaded.
func unreadableSidecar(name string, err error) Finding {
	id := strings.TrimSuffix(path.Base(name), sidecarExt)
	return Finding{id, name, Unreadable, problem.Say(strings.TrimPrefix(err.Error(), ErrDamagedCopy.Error()+": "))}
}

// ErrOrphan is about a document without a sidecar.
var ErrOrphan = errors.New(string(Orphan))

// KeepAnew is what to do about a document without a sidecar, in an archive by its name.
func KeepAnew(dir string) problem.Advice {
	return problem.Say("%s keeps it anew while the provider has the fax", problem.Command("faxes", "archive").Set("to", dir))
}

// err is the finding about a document as an error: [ErrDamagedCopy], and [ErrOrphan].
func (f *Finding) err() error {
	if f.Problem == Orphan {
		return fmt.Errorf("fax %s: %w: %w: %s", f.ID, ErrDamagedCopy, ErrOrphan, f.Detail)
	}
	return fmt.Errorf("fax %s: %w: %s: %s", f.ID, ErrDamagedCopy, f.Problem, f.Detail)
}

// away reports whether an error is of the place as a whole, where the archive is, and says
// nothing of the file that was asked for.
func away(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, problem.ErrUnavailable) || errors.Is(err, problem.ErrAuth)
}
