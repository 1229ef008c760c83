package receiver

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// takeLock makes the state this process's alone until it ends.
func takeLock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	ok, err := durable.TryLock(f)
	if err == nil && !ok {
		err = problem.With(fmt.Errorf("%w: another receiver uses %s", problem.ErrConflict, path), problem.Say("end it first, or give this one a state of its own"))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
