package durable_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/durable"
)

// A line that was not finished spoils no other, and the file is the owner's.
func TestAppendLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines")
	for i, step := range []struct{ torn, want string }{
		{"", "one\n"}, {"", "one\none\n"}, {"half", "one\none\nhalf\none\n"},
	} {
		if step.torn != "" {
			f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
			if err == nil {
				_, err = f.WriteString(step.torn)
			}
			if err != nil || f.Close() != nil {
				t.Fatal(err)
			}
		}
		if err := durable.AppendLine(durable.OS{}, path, []byte("one")); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != step.want {
			t.Errorf("step %d: %q, %v, want %q", i, got, err, step.want)
		}
	}
	if err := durable.AppendLine(durable.OS{}, filepath.Join(path, "x"), []byte("one")); err == nil {
		t.Error("a file below a file is written")
	}
}
