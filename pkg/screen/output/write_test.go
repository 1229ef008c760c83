package output_test

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/faxctl/faxctl/pkg/screen/output"
)

// broken is a writer that fails after some writes.
type broken struct {
	writes int
	err    error
}

func (b *broken) Write(p []byte) (int, error) {
	if b.writes--; b.writes < 0 {
		return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: b.err}
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	for _, spec := range []string{"table", "json", "jsonl", "yaml", "csv", "tsv", "id", "jq=.", "template={{.id}}"} {
		for _, terminal := range []bool{false, true} {
			opt := output.Options{Format: format(t, spec), Screen: output.Screen{Terminal: terminal, Width: 80, Now: noon()}}
			_, full := printed(t.Context(), &broken{err: syscall.ENOSPC}, sequence(lines(), nil), lineType(), opt)
			if !errors.Is(full, syscall.ENOSPC) {
				t.Errorf("%s on a full disk: %v", spec, full)
			}
			_, closed := printed(t.Context(), &broken{err: syscall.EPIPE}, sequence(lines(), nil), lineType(), opt)
			if !errors.Is(closed, output.ErrClosed) {
				t.Errorf("%s into a closed pipe: %v", spec, closed)
			}
		}
	}
}

// A reader who has seen enough stops the listing, not only the printing.
func TestClosedPipeStopsTheSequence(t *testing.T) {
	asked := 0
	endless := func(yield func(line, error) bool) {
		for asked++; asked < 1_000_000 && yield(lines()[0], nil); asked++ {
		}
	}
	_, err := printed(t.Context(), &broken{writes: 5, err: io.ErrClosedPipe}, endless, lineType(), output.Options{Format: format(t, "jsonl")})
	if !errors.Is(err, output.ErrClosed) || asked > 100_000 { // some are gathered before a write
		t.Errorf("asked %d times, %v", asked, err)
	}
}
