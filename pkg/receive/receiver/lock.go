package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// lockWait is how long one that is just ending may still have the lock: a program that it
// starts at that moment has it too, until it begins.
const lockWait = time.Second

// takeLock makes the state this process's alone until it ends.
func takeLock(ctx context.Context, path string) (io.Closer, error) {
	f, err := durable.Lock(ctx, path, lockWait)
	if errors.Is(err, durable.ErrTaken) {
		return nil, problem.With(fmt.Errorf("%w: another receiver uses %s", problem.ErrConflict, path), problem.Say("end it first, or give this one a state and an archive of its own"))
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}
