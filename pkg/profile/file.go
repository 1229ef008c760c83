package profile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// readGuarded reads a file that nobody but its owner can write to; guard says what else
// is asked of it. os.DevNull is empty. A pipe may wait for who writes to it: fileLimit at
// most. Errors: ErrPermission, problem.ErrInvalid, fs.ErrNotExist, the context's.
func readGuarded(ctx context.Context, path string, most int64, guard func(fs.FileInfo) error) ([]byte, error) {
	content, err := patiently(ctx, fileLimit, func() ([]byte, error) {
		return readAtOnce(path, os.O_RDONLY, most, closed(path), guard)
	})
	if errors.Is(err, errLate) {
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: path + " gave nothing to read within " + fileLimit.String(),
			Advice: problem.Say("it may be a pipe that nobody writes to, or on a disk that does not answer")}
	}
	return content, err
}

// ReadRegular reads a file that says whom to tell what: a regular one of at most so many
// bytes, to which nobody but its owner can write. os.DevNull is empty. Whatever else has
// its name, nobody waits for it. Errors: as of reading a configuration.
func ReadRegular(path string, most int64) ([]byte, error) {
	return readAtOnce(path, os.O_RDONLY|syscall.O_NONBLOCK, most, regular(path), closed(path))
}

// closed refuses a file that somebody besides its owner can write to.
func closed(path string) func(fs.FileInfo) error {
	return func(info fs.FileInfo) error {
		if !writtenByOthers(info) {
			return nil
		}
		return &problem.Error{Kind: ErrPermission, Text: fmt.Sprintf("%s can be written to by others (mode %04o)", path, info.Mode().Perm()),
			Advice: howToClose(path, info, "go-w", "nobody but its owner may write to it")}
	}
}

// regular refuses what is not on a disk, and so may never end.
func regular(path string) func(fs.FileInfo) error {
	return func(info fs.FileInfo) error {
		if info.Mode().IsRegular() {
			return nil
		}
		return &problem.Error{Kind: problem.ErrInvalid, Text: path + " is a pipe, not a file", Advice: problem.Say("write it to a file, and name that")}
	}
}

func readAtOnce(path string, flag int, most int64, guards ...func(fs.FileInfo) error) ([]byte, error) {
	unreadable := func(err error) error {
		return &problem.Error{Kind: problem.ErrInvalid, Text: path + " cannot be read", Cause: durable.Reason(err)}
	}
	f, err := os.OpenFile(path, flag, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, &problem.Error{Kind: ErrPermission, Text: path + " cannot be read", Cause: durable.Reason(err),
			Advice: problem.Say("its owner, or that of a folder above it, has to let you read it; you are the user " + userName())}
	}
	if err != nil {
		return nil, unreadable(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, unreadable(err)
	case isNull(info):
		return nil, nil
	case info.IsDir():
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: path + " is a directory, not a file", Advice: problem.Say("name a file that is in it")}
	case info.Mode()&fs.ModeDevice != 0:
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: path + " is a device, not a file"}
	}
	for _, guard := range guards {
		if err := guard(info); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if int64(len(text)) > most {
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: fmt.Sprintf("%s is longer than %d bytes", path, most)}
	}
	return text, nil
}

// howToClose is what to do about a file that is open to others: a command for whoever
// can run it, and otherwise what its owner has to do.
func howToClose(path string, info fs.FileInfo, mode, wanted string) problem.Advice {
	if ours(info) && !mountedReadOnly(path) {
		return problem.Say("run chmod " + mode + " " + path)
	}
	return problem.Say("it is not yours to change: " + wanted + ", as its owner, or whoever mounts it, can see to")
}

// isThere reports whether there is something of this path, or in a folder that is closed
// to us.
func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil || errors.Is(err, fs.ErrPermission)
}

// isNull reports whether info is of os.DevNull, by whatever name.
func isNull(info fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(null, info)
}

// hidden refuses a secret that others can read where it is for us to see to that: a file
// of ours in our home. One that is mounted, as Kubernetes and Docker do, or somebody
// else's, has the mode that whoever put it there gives it.
func hidden(path string, getenv func(string) string) func(fs.FileInfo) error {
	return func(info fs.FileInfo) error {
		if !readByOthers(info) || !ours(info) || !below(path, homeOf(getenv)) || mountedReadOnly(path) {
			return nil
		}
		return &problem.Error{Kind: ErrPermission, Text: fmt.Sprintf("%s can be read by others (mode %04o)", path, info.Mode().Perm()),
			Advice: problem.Say("run chmod 600 " + path)}
	}
}

// below reports whether a file lies in a folder, links followed. The root of a system
// is nobody's home.
func below(path, folder string) bool {
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil || folder == filepath.Dir(folder) {
		return false
	}
	if path, err = filepath.Abs(path); err != nil {
		return false
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return false
	}
	rest, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rest)
}
