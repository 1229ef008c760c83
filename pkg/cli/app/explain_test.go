package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// What a disk is behind says what to do about it, and names no file that is hidden; advice
// that is there already stays.
func TestInWordsOfADisk(t *testing.T) {
	const room, mount = "free room there, and run it again", "name a place that can be written, or have the disk mounted so that this one can be"
	on := func(path string, why error) error { return &fs.PathError{Op: "write", Path: path, Err: why} }
	for name, c := range map[string]struct {
		err        error
		said, hint string
	}{
		"full":           {fmt.Errorf("fax FX1: %w", on("a/.FX1.part", syscall.ENOSPC)), "fax FX1: write a/FX1: " + syscall.ENOSPC.Error(), room},
		"quota":          {on("a/FX1.json", syscall.EDQUOT), "write a/FX1.json: " + syscall.EDQUOT.Error(), room},
		"read-only":      {errors.Join(on("a/.b.part", syscall.EROFS)), "write a/b: " + syscall.EROFS.Error(), mount},
		"without a path": {fmt.Errorf("archive a cannot be written: %w", syscall.ENOSPC), "archive a cannot be written: " + syscall.ENOSPC.Error(), room},
		"with advice":    {problem.With(on("a", syscall.EROFS), problem.Say("set it")), "write a: " + syscall.EROFS.Error(), "set it"},
		"something else": {on("a/.b.part", fs.ErrPermission), "write a/.b.part: permission denied", ""},
		"an interrupt":   {fmt.Errorf("%w: %w", context.Canceled, syscall.ENOSPC), "interrupted: " + syscall.ENOSPC.Error(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := inWords(c.err)
			if got.Error() != c.said || problem.AdviceOf(got).String() != c.hint || !errors.Is(got, c.err) {
				t.Errorf("%v; %v", got, problem.AdviceOf(got))
			}
		})
	}
}
