package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/durable"
)

// completionLimit is how long a shell may wait for live values. A prompt that
// hangs is worse than one without suggestions.
const completionLimit = 800 * time.Millisecond

// completionAge is how long live values are good for: people press the key
// again and again, and mean the same.
const completionAge = time.Minute

// live are values from the provider, kept for a minute or until something is
// changed; quickly or not at all: an error has no place in a prompt. What takes
// too long is left behind, so get has an app of its own, which nobody else
// closes.
func (a *App) live(ctx context.Context, kind string, get func(context.Context, *App) ([]cobra.Completion, error)) []cobra.Completion {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completionLimit)
	defer cancel()
	file := a.completionFile(kind)
	if values, fresh := keptCompletion(file); fresh {
		return values
	}
	type answer struct {
		values []cobra.Completion
		err    error
	}
	done := make(chan answer, 1)
	own := New(a.In, a.Out, a.Err, a.Getenv)
	own.Flags = a.Flags
	go func() {
		values, err := get(ctx, own)
		done <- answer{values, errors.Join(err, own.close())}
	}()
	select {
	case got := <-done:
		if got.err == nil {
			keepCompletion(file, got.values)
			return got.values
		}
	case <-ctx.Done(): // not everything that is asked for a secret listens
	}
	return nil
}

// completions is the folder of what is kept for completion, "" when there is no
// place for it.
func (a *App) completions() string {
	dir, err := durable.CacheHome(a.Getenv)
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "faxctl")
}

// forgetCompletions drops what is kept, of every account: two profiles may mean
// the same one.
func (a *App) forgetCompletions() {
	kept, err := filepath.Glob(filepath.Join(a.completions(), "complete-*.json"))
	if err != nil || a.completions() == "" {
		return
	}
	for _, file := range kept {
		_ = os.Remove(file) // at worst it is offered for a minute
	}
}

// completionFile is where the values of the account in force are kept, "" when
// there is none.
func (a *App) completionFile(kind string) string {
	r, err := a.Resolve()
	if err != nil || a.completions() == "" {
		return ""
	}
	who := sha256.Sum256([]byte(fmt.Sprintf("%q", []string{r.Name, string(r.Provider), r.AccountID, r.Space, r.APIURL})))
	return filepath.Join(a.completions(), fmt.Sprintf("complete-%s-%x.json", kind, who[:8]))
}

// keptCompletion are the values of a minute ago, if they are.
func keptCompletion(file string) (values []cobra.Completion, fresh bool) {
	info, err := os.Stat(file)
	if err != nil || time.Since(info.ModTime()).Abs() > completionAge {
		return nil, false
	}
	text, err := os.ReadFile(file)
	return values, err == nil && json.Unmarshal(text, &values) == nil
}

// keepCompletion keeps values for the next time. That it cannot is no reason
// to say anything in a prompt.
func keepCompletion(file string, values []cobra.Completion) {
	if file == "" || os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	text, err := json.Marshal(values)
	if err != nil {
		return
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".complete-*") // 0600
	if err != nil {
		return
	}
	_, err = temp.Write(text)
	if temp.Close() != nil || err != nil || os.Rename(temp.Name(), file) != nil {
		_ = os.Remove(temp.Name())
	}
}
