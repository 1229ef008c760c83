package archive

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Outside fails (fax.ErrInvalid) when a file or folder that something else is to write is
// in an archive, at any depth, or is one: a document, a sidecar or the index that is
// written over may be the only one there is. Links are followed, and what is not there
// yet is where it would be made.
func Outside(path string) error {
	above, _ := filepath.Split(path) // as it is written: to clean it may lead past a link
	if above == "" {
		above = "."
	}
	for _, at := range []string{path, above} { // a file may be a link that is replaced, or one that is followed
		if dir := around(withoutLinks(at)); dir != "" {
			return &problem.Error{Kind: problem.ErrInvalid, Text: fmt.Sprintf("%s is in the archive %s, where only kept faxes belong", path, dir),
				Advice: problem.Say("name a place outside of it")}
		}
	}
	return nil
}

// around is the archive that a path without links is in; "": it is in none.
func around(path string) string {
	for dir := path; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, formatFile)); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// withoutLinks is where a path leads, from the root.
func withoutLinks(path string) string {
	there, err := filepath.EvalSymlinks(path)
	if err != nil { // it is not there
		if above := filepath.Dir(path); above != path {
			return filepath.Join(withoutLinks(above), filepath.Base(path))
		}
		return path
	}
	if whole, err := filepath.Abs(there); err == nil {
		return whole
	}
	return there
}

// Apart fails (fax.ErrInvalid) when one of two archives is the other, or in it, however they
// are named. Errors are also those of package s3: a bucket is asked for.
func (o Opener) Apart(ctx context.Context, from, to string) error {
	var ids [2]string
	for i, where := range []string{from, to} {
		at, err := o.at(ctx, where)
		if err != nil {
			return err
		}
		ids[i] = strings.TrimRight(at.identity(), "/") + "/"
	}
	if ids[0] == ids[1] {
		return problem.Invalid(problem.Say("name another place"), "copy of %s to itself", from)
	}
	if strings.HasPrefix(ids[0], ids[1]) || strings.HasPrefix(ids[1], ids[0]) {
		return problem.Invalid(problem.Say("name a place outside of it"), "copy: of %s and %s one is in the other", from, to)
	}
	return nil
}

// identity is where the folder is, without links.
func (o inFolder) identity() string { return filepath.ToSlash(withoutLinks(o.dir)) }

func (o inBucket) identity() string { return o.Identity() }
