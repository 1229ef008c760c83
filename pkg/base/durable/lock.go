package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// nextTry is how long a lock that somebody else has is left alone.
const nextTry = 20 * time.Millisecond

// Lock opens the file at path, which is made for the owner alone where it is not
// there, and takes the lock of [TryLock] on it, which closing the file gives back. It
// waits for it as long as is given; 0: not at all. The file still has its name when
// it is returned: whoever removes it locks out nobody who comes later. [ErrTaken]:
// somebody else has the lock; otherwise the context's error, or one of the system.
func Lock(ctx context.Context, path string, wait time.Duration) (File, error) {
	for end := time.Now().Add(wait); ; {
		f, err := lockOnce(path)
		if err == nil || !errors.Is(err, ErrTaken) && !errors.Is(err, errRemoved) {
			return f, err
		}
		left := time.Until(end)
		if errors.Is(err, ErrTaken) && left <= 0 {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(max(0, min(nextTry, left))):
		}
	}
}

// errRemoved is a file that lost its name before it was locked.
var errRemoved = errors.New("it was removed, or replaced")

func lockOnce(path string) (File, error) {
	f, err := OS{}.OpenFile(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	return lockNamed(f, path)
}

// lockNamed locks an open file that still has its name, and closes any other.
func lockNamed(f File, path string) (File, error) {
	taken, err := TryLock(f)
	if err == nil && !taken {
		err = fmt.Errorf("%s: %w", path, ErrTaken)
	}
	if err == nil {
		var named bool
		if _, named, err = statNamed(f, path); err == nil && !named {
			err = fmt.Errorf("%s: %w", path, errRemoved)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
