package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"strings"

	"github.com/faxctl/faxctl/pkg/archive/index"
	"github.com/faxctl/faxctl/pkg/archive/store"
)

// elsewhereFile is the mark of those who write to an archive on S3 without the index that
// others have in common, which knows nothing of what they do: each leaves another one when
// it opens the archive, and when it closes it.
const elsewhereFile = ".elsewhere"

// What a mark begins with. While somebody writes, or was killed, there may be more to come.
const (
	writing = "open "
	written = "closed "
)

// leaveMark says that somebody writes without the common index, or has done so.
func (b bucket) leaveMark(ctx context.Context, begin string) error {
	_, err := b.Put(ctx, elsewhereFile, bytes.NewReader([]byte(begin+rand.Text()+"\n")), store.Condition{})
	return err
}

// mark is the one that is there; "": nobody ever wrote without the common index.
func (b bucket) mark(ctx context.Context) (string, error) {
	data, _, err := readSmall(ctx, b, elsewhereFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(data)), err
}

// wholeBy is the state of an index that knows all that was there when a mark was.
func wholeBy(mark string) index.State {
	if mark == "" {
		return index.Whole
	}
	return index.Whole + index.State(" "+mark)
}

// isWriting reports whether whoever left a mark may still write.
func isWriting(mark string) bool { return mark != "" && !strings.HasPrefix(mark, written) }
