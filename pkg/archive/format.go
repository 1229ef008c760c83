package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

const (
	formatFile    = "faxctl-archive.json"
	formatVersion = 1
)

// format is the content of faxctl-archive.json.
type format struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
}

// checkFormat reports whether dir holds an archive, and refuses those that this
// program does not understand.
func checkFormat(dir string) (found bool, err error) {
	file, err := durable.OpenRegular(filepath.Join(dir, formatFile), os.Lstat)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, syscall.ENOTDIR):
		return false, problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("archive %s is no folder, or is below what is none", dir)), problem.Say("name the folder of an archive"))
	case err != nil:
		if st, bad := os.Lstat(filepath.Join(dir, formatFile)); bad == nil && !st.Mode().IsRegular() {
			return true, understood(dir, nil) // a folder is as good as nonsense
		}
		return false, err
	}
	data, err := io.ReadAll(io.LimitReader(file, mostSidecar))
	if err := errors.Join(err, file.Close()); err != nil {
		return false, err
	}
	return true, understood(dir, data)
}

// understood fails when this program does not understand what a format file says.
func understood(dir string, data []byte) error {
	var f format
	switch err := json.Unmarshal(data, &f); {
	case err != nil || f.Format < 1:
		return problem.With(fmt.Errorf("archive %s: %w: %s is not readable", dir, problem.ErrInvalid, formatFile),
			problem.Say("bring it back from a backup, or move it away and run: %s", problem.Command("archive", "reindex").Arg(dir)))
	case f.Format > formatVersion:
		return problem.With(fmt.Errorf("archive %s: %w: it has format %d, this program knows %d", dir, problem.ErrUnsupported, f.Format, formatVersion),
			newer())
	}
	return nil
}

func newer() problem.Advice {
	return problem.Say("use a newer faxctl; %s tells which this is", problem.Command("version"))
}

// checkEmpty refuses a folder that has something in it already.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		// A run that was cut off early leaves these.
		ours := slices.ContainsFunc([]string{markName, claimPrefix, "." + formatFile}, func(prefix string) bool { return strings.HasPrefix(e.Name(), prefix) })
		if e.Name() != lockName && !ours {
			return problem.Invalid(problem.Say("name an empty folder, or one that is not there"), "archive %s: the folder is not empty and is no archive", dir)
		}
	}
	return nil
}

// checkNew refuses a folder where no archive may be made.
func checkNew(dir string) error {
	if err := checkEmpty(dir); err != nil {
		return err
	}
	if above := around(filepath.Dir(withoutLinks(dir))); above != "" {
		return inAnother(dir, above)
	}
	return nil
}

// inAnother refuses an archive in another one.
func inAnother(where, above string) error {
	return problem.Invalid(problem.Say("name a place outside of it"), "archive %s: it would be in the archive %s", where, above)
}

func writeFormat(disk durable.Disk, dir string) error {
	data, err := newFormat()
	if err != nil {
		return err
	}
	return durable.WriteFile(disk, filepath.Join(dir, formatFile), data)
}

// newFormat is the content of a format file that is made now.
func newFormat() ([]byte, error) {
	data, err := json.Marshal(format{Format: formatVersion, Created: time.Now().UTC().Truncate(time.Second)})
	return append(data, '\n'), err
}
