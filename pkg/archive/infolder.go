package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// inFolder is an archive in a folder: one process writes to it at a time, and its index
// is in it.
type inFolder struct {
	Opener
	dir string
}

func (o inFolder) open(ctx context.Context) (*Archive, error) {
	found, err := checkFormat(o.dir)
	if err == nil && !found {
		err = checkNew(o.dir)
	}
	if err != nil {
		return nil, err
	}
	if err := durable.MakeDir(o.disk(), o.dir); err != nil {
		return nil, fmt.Errorf("archive %s cannot be made: %w", o.dir, err)
	}
	return o.openThere(ctx)
}

// openThere opens the archive in a folder that is there, and may be without its
// format file.
func (o inFolder) openThere(ctx context.Context) (*Archive, error) {
	a := newArchive(o.disk(), o.dir)
	a.writes = true
	var err error
	if a.turn, err = o.takeTurn(ctx, a.disk, o.dir); local(err) { // the files of a turn are ours alone
		return nil, fmt.Errorf("archive %s cannot be written: %w", o.dir, durable.Reason(err))
	} else if err != nil {
		return nil, err
	}
	found, err := checkFormat(o.dir)
	if err == nil && !found {
		err = writeFormat(o.disk(), o.dir)
	}
	if err == nil {
		err = a.openIndex(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, a.turn.Close())
	}
	return a, nil
}

func (o inFolder) read(ctx context.Context) (*Archive, error) {
	if err := o.known(ctx); err != nil {
		return nil, err
	}
	a := newArchive(durable.OS{}, o.dir)
	writer, live := readMark(o.dir)
	x, err := index.Open(ctx, filepath.Join(o.dir, indexFile), false)
	if err == nil {
		state, err := x.State(ctx)
		if err == nil && (state == index.Whole && writer == "" || state == index.Growing(writer) && live) {
			a.index = x
			return a, nil
		}
	}
	a.inMemory = true
	own, err := a.ownIndex(ctx, x)
	if x != nil {
		err = errors.Join(err, x.Close())
	}
	if err != nil {
		return nil, err
	}
	return own, nil
}

// ownIndex gives an archive an index in memory, made from the sidecars and what
// the one of the archive (nil: there is none) still knows.
func (a *Archive) ownIndex(ctx context.Context, old *index.Index) (*Archive, error) {
	var err error
	if a.index, err = index.InMemory(ctx); err != nil {
		return nil, err
	}
	if old != nil && old.Intact(ctx) == nil {
		err = a.copyRows(ctx, old)
	}
	if err == nil {
		_, err = a.reconcile(ctx, false)
	}
	if err != nil {
		return nil, errors.Join(err, a.index.Close())
	}
	return a, nil
}

// rescue makes the archive whole of which the format file is lost.
func (o inFolder) rescue(ctx context.Context) (a *Archive, rescued bool, err error) {
	if lost, err := hasSidecar(ctx, o.dir); err != nil || !lost {
		return nil, false, err
	}
	if err := durable.MakeDir(o.disk(), o.dir); err != nil {
		return nil, false, err
	}
	a, err = o.openThere(ctx)
	return a, err == nil, err
}

func (o inFolder) check(context.Context) error {
	found, err := checkFormat(o.dir)
	if err == nil && !found {
		err = checkNew(o.dir)
	}
	if err != nil {
		return err
	}
	return durable.MayMake(o.dir, o.dir)
}

func (o inFolder) known(ctx context.Context) error {
	dir := o.dir
	found, err := checkFormat(dir)
	if err != nil || found {
		return err
	}
	err = fmt.Errorf("archive %s: %w", dir, problem.ErrNotFound)
	if st, there := os.Stat(dir); there != nil || !st.IsDir() || checkEmpty(dir) == nil {
		return problem.With(err, spelled(dir))
	}
	err = fmt.Errorf("%w: it is a folder but no archive", err)
	if lost, bad := hasSidecar(ctx, dir); bad == nil && lost {
		return problem.With(fmt.Errorf("%w: it has lost its %s", err, formatFile), problem.Say("%s makes it one again", problem.Command("archive", "reindex").Arg(dir)))
	}
	return problem.With(err, problem.Say("name the folder that has "+formatFile+" in it"))
}

// spelled asks about the name of an archive that is not there, and names the one beside it
// that was likely meant.
func spelled(dir string) problem.Advice {
	beside, name := filepath.Split(filepath.Clean(dir))
	entries, err := os.ReadDir(cmp.Or(beside, "."))
	var folders []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name())
		}
	}
	near := text.Nearest(name, folders)
	if found, bad := checkFormat(beside + near); err == nil && bad == nil && near != "" && found {
		return problem.Say("is it spelled right? %s is an archive", problem.Text(text.ShellWord(beside+near)))
	}
	return problem.Say("is it spelled right?")
}

// hasSidecar reports whether there is a sidecar where the archive in dir would keep
// it. No other folder has one there, whatever lies in it: not one above an archive,
// nor a part of one.
func hasSidecar(ctx context.Context, dir string) (bool, error) {
	a := newArchive(durable.OS{}, dir)
	for _, folder := range keptFolders() {
		names, err := fs.Glob(os.DirFS(dir), folder+"/*"+sidecarExt)
		if err != nil {
			return false, err
		}
		for _, name := range names {
			e, _, err := a.readAnySidecar(ctx, name)
			if err == nil && keyOf(e.Fax) == strings.TrimSuffix(name, sidecarExt) {
				return true, nil
			}
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
		}
	}
	return false, nil
}
