package app

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/spf13/cobra"
)

// What is deaf to its time limit is left behind in a prompt. What it opens after
// that it closes itself: the command it was for has ended.
func TestCompletionLeftBehind(t *testing.T) {
	environment := map[string]string{"FAXCTL_PROFILE": "sandbox", "XDG_CACHE_HOME": t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		a := New(strings.NewReader(""), io.Discard, io.Discard, func(name string) string { return environment[name] })
		answer, closed := make(chan struct{}), false
		offered := a.live(t.Context(), "numbers", func(_ context.Context, own *App) ([]cobra.Completion, error) {
			<-answer
			own.OnClose(func() error { closed = true; return nil })
			return []cobra.Completion{"+14155550123"}, nil
		})
		if err := a.close(); len(offered) > 0 || err != nil {
			t.Errorf("%v, %v", offered, err)
		}
		close(answer)
		synctest.Wait()
		if !closed || len(a.closers) > 0 {
			t.Errorf("closed by itself: %v; left to the command: %d", closed, len(a.closers))
		}
	})
}
