package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/archive/dir"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/archive/store"
)

// fileStore is where an archive keeps its files: a store, and in what a folder and a bucket
// differ when a fax is kept and let go. A key is the name of a sidecar without its
// extension. Safe for concurrent use, though not for the same key.
type fileStore interface {
	store.Store

	// spool returns the path of a local file to which the document of key is
	// downloaded. What an earlier run left there may still be there.
	spool(ctx context.Context, key string) (path string, err error)

	// keep keeps a document (nil: none) under key and its extension, and then the
	// sidecar, if the condition holds of that, and returns the stamp of it. Then both are
	// durable. When it is cut off, each is there whole or not at all, and a new sidecar
	// never without its document.
	keep(ctx context.Context, key string, doc *fetch.Part, sidecar []byte, when store.Condition) (stamp string, err error)

	// settle makes durable what is under key, and whatever else a run that was
	// cut off, or met an error, may have left there without seeing to that.
	settle(ctx context.Context, key string) error

	// strip removes what is under key but the sidecar, whatever of it is there, and
	// returns when it is gone for good.
	strip(ctx context.Context, key string) error

	// clear removes what runs that were cut off left behind, except long downloads that
	// can be continued.
	clear(ctx context.Context) error
}

// folder is the files of an archive in a folder.
type folder struct{ *dir.Store }

var _ fileStore = folder{}

// spool is beside the document.
func (f folder) spool(ctx context.Context, key string) (string, error) {
	if err := f.Prepare(ctx, key); err != nil {
		return "", err
	}
	document, err := f.Path(key)
	return dir.Part(document), err
}

// keep brings document and sidecar to the disk side by side, then names the one
// and then the other. The fsync of the folder is shared with concurrent calls.
func (f folder) keep(ctx context.Context, key string, doc *fetch.Part, sidecar []byte, when store.Condition) (string, error) {
	if doc == nil {
		return f.Put(ctx, key+sidecarExt, bytes.NewReader(sidecar), when)
	}
	return f.PutAfter(ctx, doc, key+doc.Info.Ext, key+sidecarExt, bytes.NewReader(sidecar), when)
}

func (f folder) settle(ctx context.Context, key string) error { return f.Settle(ctx, key) }

// strip knows the names of documents, and of what is on its way to one of the final
// names: see [fetch.Part] and [dir.Part]. A link is removed, and not what it leads to.
func (f folder) strip(ctx context.Context, key string) error {
	day, id := path.Split(key)
	var all []string
	for _, name := range []string{id + ".pdf", id + ".tiff", "." + id + ".part", "." + id + ".part.etag", ".." + id + ".part.etag.part", "." + id + sidecarExt + ".part"} {
		all = append(all, day+name)
	}
	return f.RemoveAll(ctx, all...)
}

// continued reports whether a download that was cut off can be continued.
func continued(part string) bool {
	_, err := os.Stat(part + ".etag")
	return err == nil
}

func (f folder) clear(ctx context.Context) error {
	top, err := f.Path(formatFile)
	if err != nil {
		return err
	}
	stays := func(part string) bool {
		local, err := filepath.Rel(filepath.Dir(top), part)
		name := filepath.ToSlash(local)
		return err != nil || strings.Contains(name, "/") && !isKept(name) || continued(part)
	}
	return f.Clear(ctx, stays, append([]string{"[0-9][0-9][0-9][0-9]", "[0-9][0-9][0-9][0-9]/[0-9][0-9]"}, keptFolders()...)...)
}

// isKept reports whether a file is where faxes are kept: see [keyOf].
func isKept(name string) bool {
	return slices.ContainsFunc(keptFolders(), func(folder string) bool {
		in, err := path.Match(folder, path.Dir(name))
		return in && err == nil
	})
}

// keptFolders are patterns of the folders that faxes are kept in.
func keptFolders() []string {
	return []string{"[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]", "undated"}
}

// walk yields the documents and sidecars that are kept, in no particular order. Other files
// are not the archive's, as those of another one in it.
func (a *Archive) walk(ctx context.Context) iter.Seq2[store.File, error] {
	return func(yield func(store.File, error) bool) {
		for f, err := range a.files.List(ctx, "") {
			if (err != nil || isKept(f.Name)) && !yield(f, err) {
				return
			}
		}
	}
}

// sidecars leaves the documents out.
func (a *Archive) sidecars(ctx context.Context) iter.Seq2[store.File, error] {
	return func(yield func(store.File, error) bool) {
		for f, err := range a.walk(ctx) {
			if (err != nil || path.Ext(f.Name) == sidecarExt) && !yield(f, err) {
				return
			}
		}
	}
}

// readSmall reads a file that is no larger than a sidecar may be.
func readSmall(ctx context.Context, from store.Store, name string) (data []byte, file store.File, err error) {
	r, file, err := from.Open(ctx, name, 0)
	if err != nil {
		return nil, store.File{}, err
	}
	data, err = io.ReadAll(io.LimitReader(r, mostSidecar+1))
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, store.File{}, err
	}
	if len(data) > mostSidecar {
		return nil, store.File{}, fmt.Errorf("%s: too large for a sidecar", name)
	}
	return data, file, nil
}

// whileChanged does something again when somebody else changed what it decided upon.
// Whoever changed it got on with theirs, so that it need not be done often.
func whileChanged(do func() error) error {
	for tries := 0; ; tries++ {
		if err := do(); !errors.Is(err, store.ErrChanged) || tries == mostTries {
			return err
		}
	}
}

// mostTries is how many others may come first.
const mostTries = 100
