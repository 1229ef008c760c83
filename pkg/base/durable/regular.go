package durable

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// OpenRegular opens a file for reading, and nothing else that a name may stand for:
// opening a pipe would wait for somebody to write to it. With os.Lstat it follows no
// link, with os.Stat it does.
func OpenRegular(path string, look func(string) (fs.FileInfo, error)) (*os.File, error) {
	st, err := look(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, notAFile(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may be replaced by now
	if err != nil {
		return nil, err
	}
	if st, err = f.Stat(); err == nil && !st.Mode().IsRegular() {
		err = notAFile(path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func notAFile(path string) error {
	return &fs.PathError{Op: "open", Path: path, Err: errors.New("not a file")}
}
