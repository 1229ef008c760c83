package fetch

import (
	"bytes"
	"io"

	"github.com/faxctl/faxctl/pkg/base/durable"
)

// content is what a part has of a document: bytes that come one after another.
type content interface {
	io.Writer
	io.ReaderAt

	// cut leaves so many bytes, after which the next are written.
	cut(size int64) error

	// settle has it in the file of the part, where a later run finds it.
	settle() error

	// sync brings it to the disk.
	sync() error

	// discard removes the file of the part, and close leaves it. What cannot be
	// removed is a hidden leftover that the next run reuses.
	discard()
	close() error
}

// inFile is the content of a part that was claimed.
type inFile struct {
	durable.File
	disk durable.Disk
	path string
}

func (c inFile) cut(size int64) error {
	err := c.Truncate(size)
	if err == nil {
		_, err = c.Seek(size, io.SeekStart)
	}
	return err
}

func (c inFile) settle() error { return nil }
func (c inFile) sync() error   { return c.Sync() }
func (c inFile) close() error  { return c.Close() }

func (c inFile) discard() {
	_ = c.disk.Remove(c.path)
	_ = c.Close()
}

// small is how many bytes of a document that passes on stay in memory: four pages or so, of
// which there is one for each that is kept at once.
const small = 128 << 10

// inMemory is the content of a part that passes on. It is claimed, and written to its file,
// when it is known not to be small.
type inMemory struct {
	claim  func() (inFile, error)
	memory []byte
	file   content // nil: there is none yet
}

func (c *inMemory) Write(p []byte) (int, error) {
	if c.file == nil && len(c.memory)+len(p) > small {
		if err := c.settle(); err != nil {
			return 0, err
		}
	}
	if c.file != nil {
		return c.file.Write(p)
	}
	c.memory = append(c.memory, p...)
	return len(p), nil
}

func (c *inMemory) ReadAt(p []byte, offset int64) (int, error) {
	if c.file != nil {
		return c.file.ReadAt(p, offset)
	}
	return bytes.NewReader(c.memory).ReadAt(p, offset)
}

func (c *inMemory) cut(size int64) error {
	if c.file != nil {
		return c.file.cut(size)
	}
	c.memory = c.memory[:size]
	return nil
}

func (c *inMemory) settle() error {
	if c.file != nil {
		return nil
	}
	file, err := c.claim()
	if err != nil {
		return err
	}
	err = file.cut(0) // another run may have left something meanwhile
	if err == nil {
		_, err = file.Write(c.memory)
	}
	if err != nil {
		file.discard()
		return err
	}
	c.file, c.memory = file, nil
	return nil
}

func (c *inMemory) sync() error {
	err := c.settle()
	if err == nil {
		err = c.file.sync()
	}
	return err
}

func (c *inMemory) discard() {
	if c.file != nil {
		c.file.discard()
	}
}

func (c *inMemory) close() error {
	if c.file != nil {
		return c.file.close()
	}
	return nil
}
