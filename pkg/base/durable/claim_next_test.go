package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/durable"
)

// busy has a file get its name, and the next one be made, just when somebody opens it.
type busy struct {
	durable.Disk
	t     *testing.T
	opens int
}

func (b *busy) OpenFile(path string, flag int) (durable.File, error) {
	if b.opens++; b.opens != 2 {
		return b.Disk.OpenFile(path, flag)
	}
	if err := os.Remove(path); err != nil {
		b.t.Fatal(err)
	}
	_, err := b.Disk.OpenFile(path, os.O_RDWR)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		b.t.Fatal(err)
	}
	return nil, err
}

func TestClaimBetweenTwo(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".x.part")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	disk := &busy{Disk: durable.OS{}, t: t}
	f, err := durable.Claim(disk, path)
	if err != nil {
		t.Fatal(err)
	}
	if disk.opens != 4 {
		t.Errorf("%d opens", disk.opens)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
