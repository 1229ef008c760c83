package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Entry is what the archive keeps of one fax. Its JSON is the sidecar file, a
// public contract like the layout of the folders.
type Entry struct {
	Fax        fax.Fax         `json:"fax"`
	Record     json.RawMessage `json:"record,omitempty"` // as the provider sent it
	Document   *Document       `json:"document"`         // nil: none was there to keep, see [Entry.Whole]
	ArchivedAt time.Time       `json:"archived_at"`

	// MediaGone is when it was noticed that the provider has the document no
	// more; zero: it was still there, or there never was one.
	MediaGone time.Time `json:"media_gone,omitzero"`

	// DocumentMissing: the provider tells of a document and has not given it yet.
	DocumentMissing bool `json:"document_missing,omitempty"`
	// DocumentDenied is when its storage said that it has no such document, though
	// the record names one; zero: it has not said so, of this record.
	DocumentDenied time.Time `json:"document_denied,omitzero"`

	// Gone is when the fax was deleted at the provider, as [Archive.MarkDeleted] was told;
	// zero: it was not, or nobody was there any more to note it.
	Gone time.Time `json:"gone,omitzero"`
	// Proven: the marks above rest on more than one answer that something was not
	// found. Those of earlier versions may not.
	Proven bool `json:"proven,omitempty"`

	Hold *Hold `json:"hold,omitempty"`

	// Holds is when each hold began that this sidecar has told of, let go or not. What an
	// index knows to be held since another time was not let go.
	Holds []time.Time `json:"holds,omitempty"`

	// Release is that of the last hold, where the bucket had a legal hold of the fax as
	// well; nil: there was none since, or it is held again.
	Release *Release `json:"release,omitempty"`

	// Deleting is when each of those began who are deleting the fax at the provider, or
	// ended without a word of what became of it: see [Archive.BeginDeleting].
	Deleting []time.Time `json:"deleting,omitempty"`

	// Removing is when [Archive.Remove] began to take the fax out of the archive, of
	// which this is what is left; zero: nobody did. To hold it, or to keep it again,
	// takes that back.
	Removing time.Time `json:"removing,omitzero"`

	written time.Time // when the sidecar was, by the clock of where it is; zero: it was not read
	listed  string    // the stamp of the sidecar as the index has it; "": it was not asked
}

// Whole reports whether all of the fax is kept, and is to stay: its document, which is
// not known to have fewer pages than the record tells, or the certainty that there is
// none.
func (e Entry) Whole() bool {
	switch d := e.Document; {
	case !e.Removing.IsZero():
		return false
	case d != nil:
		uncounted := d.Uncounted != "" || d.Pages == 0 // of an older sidecar, which does not say why
		return uncounted || e.Fax.Pages == nil || d.Pages >= *e.Fax.Pages
	case e.DocumentMissing, !e.Fax.Status.Terminal():
		return false
	}
	return !mayHaveDocument(e.Fax) || !e.MediaGone.IsZero() && !e.Fax.HasDocument()
}

// marked reports whether the entry says that the provider has the fax, or its
// document, no more.
func (e Entry) marked() bool { return !e.MediaGone.IsZero() || !e.Gone.IsZero() }

// Document describes the kept document.
type Document struct {
	File        string `json:"file"`   // beside the sidecar
	SHA256      string `json:"sha256"` // lower-case hex
	Size        int64  `json:"size"`   // bytes
	Pages       int    `json:"pages"`  // counted in the file; 0: it has none, or they could not be
	ContentType string `json:"content_type"`

	// MediaID is the provider's document that was fetched. Empty: the bytes came with
	// a callback, or with a version that did not note it; then it is not known that the
	// provider shows the same.
	MediaID string `json:"media_id,omitempty"`

	// Uncounted is why the pages could not be counted, in a few words. Sidecars
	// written before it was noted are without it.
	Uncounted string `json:"uncounted,omitempty"`
}

// Hold keeps a fax from being pruned.
type Hold struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// Release is the end of a legal hold: the fax is no longer held from Begun on, and its
// bucket lets go of all versions of it until Done (zero: that was cut off, or goes on).
type Release struct {
	Begun time.Time `json:"begun"`
	Done  time.Time `json:"done,omitzero"`
}

// mostSidecar is the size from which a sidecar is not one of ours.
const mostSidecar = 1 << 20

// keyOf is where a fax is kept: "2026/11/23/FX…", without extension, by the
// day of its creation in UTC.
func keyOf(f fax.Fax) string {
	day := "undated"
	if y := f.Created.UTC().Year(); !f.Created.IsZero() && y >= 1000 && y <= 9999 {
		day = f.Created.UTC().Format("2006/01/02")
	}
	return path.Join(day, f.ID)
}

const sidecarExt = ".json"

// encode is the sidecar of e.
func (e Entry) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(e)
	return b.Bytes(), err
}

// errLater is a sidecar with members that this program does not know. It can be
// read, and must not be written over, nor its fax deleted: they may tell of a hold.
var errLater = errors.New("it was written by a later version")

// decode reads the sidecar found at name, and refuses one that was not written
// for that place. Of [errLater] it returns what it understands.
func decode(name string, data []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return Entry{}, fmt.Errorf("%s: %w", name, err)
	}
	stem, ok := strings.CutSuffix(path.Base(name), sidecarExt)
	switch d := e.Document; {
	case fetch.CheckID(e.Fax.ID) != nil, !ok, stem != e.Fax.ID:
		return Entry{}, fmt.Errorf("%s: this is the sidecar of another fax", name)
	case d != nil && (d.File != stem+".pdf" && d.File != stem+".tiff"):
		return Entry{}, fmt.Errorf("%s: the document is named %q", name, d.File)
	case d != nil && (d.Size < 0 || d.Pages < 0 || len(d.SHA256) != 64 || strings.Trim(d.SHA256, "0123456789abcdef") != ""):
		return Entry{}, fmt.Errorf("%s: the document is described impossibly", name)
	}
	e.Fax.Raw = e.Record
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(new(Entry)); err != nil {
		return e, fmt.Errorf("%s: %w: %v", name, errLater, err) //nolint:errorlint // the reason is for people
	}
	return e, nil
}

// same reports whether two records say the same.
func same(a, b fax.Fax) bool {
	return a.ID == b.ID && a.From == b.From && a.To == b.To && a.Direction == b.Direction && a.Status == b.Status && a.Quality == b.Quality &&
		equal(a.Pages, b.Pages) && equal(a.Duration, b.Duration) && equal(a.Price, b.Price) && a.MediaID == b.MediaID &&
		a.Created.Equal(b.Created) && a.Updated.Equal(b.Updated) && a.ErrorCode == b.ErrorCode && a.ErrorMessage == b.ErrorMessage
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
