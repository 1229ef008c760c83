package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// NotesIn are the notes of an account in a folder, beside those of others: those of this
// machine.
func NotesIn(dir, account string) Notes {
	return Notes{Account: account, kept: noteFile{dir, account}}
}

// noteFile is a file of notes, one JSON object a line, in a folder that is made. Each line
// is on the disk when it is written, and replaces those before of the same order. The lock
// lies beside it.
type noteFile struct{ dir, account string }

var _ ledger = noteFile{}

func (s noteFile) path() string {
	return filepath.Join(s.dir, "purchases-"+url.PathEscape(s.account)+".jsonl")
}

func (s noteFile) lock(ctx context.Context) (mine ledger, done func(), err error) {
	err = durable.MakeDir(durable.OS{}, s.dir)
	var f durable.File
	if err == nil {
		f, err = durable.Lock(ctx, filepath.Join(s.dir, "buying-"+url.PathEscape(s.account)+".lock"), 0)
	}
	switch {
	case errors.Is(err, durable.ErrTaken):
		return s, nil, buying(s.account)
	case err != nil:
		return s, nil, problem.With(fmt.Errorf("lock of buying: %w; nothing was done", err), problem.Say("set XDG_STATE_HOME to a folder that can be written"))
	}
	return s, func() { _ = f.Close() }, nil
}

func (s noteFile) begin(ctx context.Context, n note) error {
	if err := s.write(ctx, n); err != nil {
		return problem.With(fmt.Errorf("note of the purchase: %w; nothing was bought", err), problem.Say("set XDG_STATE_HOME to a folder that can be written"))
	}
	return nil
}

func (s noteFile) write(_ context.Context, n note) error {
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := durable.MakeDir(durable.OS{}, s.dir); err != nil {
		return err
	}
	return durable.AppendLine(durable.OS{}, s.path(), line)
}

// read passes over a line that was not finished: it is of an order that was not sent.
func (s noteFile) read(context.Context) ([]note, error) {
	text, err := os.ReadFile(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, problem.With(fmt.Errorf("notes of purchases: %w; nothing was bought", err), problem.Say("set XDG_STATE_HOME to a folder that can be read and written; without the notes a number might be bought twice"))
	}
	var all []note
	at := map[string]int{}
	for line := range bytes.Lines(text) {
		var n note
		if json.Unmarshal(line, &n) != nil || n.Account != s.account {
			continue
		}
		i, known := at[n.Order]
		if !known {
			i = len(all)
			at[n.Order] = i
			all = append(all, n)
		}
		all[i] = n
	}
	return all, nil
}

func (noteFile) now(context.Context) (time.Time, error) { return time.Now().UTC(), nil }

func (s noteFile) forget(context.Context) error {
	err := os.Remove(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
