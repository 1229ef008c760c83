package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// AppendLine adds a line to a file, which is made for the owner alone (0600) when
// it is not there, and returns when the line and the file's name are on the disk.
// A line that an earlier run did not finish is ended first, so that it spoils no
// other.
func AppendLine(disk Disk, path string, line []byte) (err error) {
	f, err := disk.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return disk.SyncDir(filepath.Dir(path))
}
