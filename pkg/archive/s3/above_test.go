package s3

import (
	"errors"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/archive/s3/s3test"
	"github.com/faxctl/faxctl/pkg/archive/store"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// The nearest place above counts, up to the bucket itself, and not a name that only begins
// in the same way.
func TestAbove(t *testing.T) {
	server := s3test.Fake(t)
	server.Bucket(t, "clinic", s3test.Plain)
	for _, step := range []struct{ put, at, want string }{
		{"", "s3://clinic/a/b/c", ""},
		{"s3://clinic/a/b/c", "s3://clinic/a/b/c", ""},
		{"s3://clinic/a/b/other", "s3://clinic/a/b/c", ""},
		{"s3://clinic", "s3://clinic/a/b/c", "s3://clinic"},
		{"s3://clinic/a", "s3://clinic/a/b/c", "s3://clinic/a"},
		{"", "s3://clinic/ab", "s3://clinic"},
		{"", "s3://clinic", ""},
	} {
		if step.put != "" {
			if _, err := open(t, server, step.put, Options{}).Put(t.Context(), "mark.json", strings.NewReader("{}"), store.Absent()); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := open(t, server, step.at, Options{}).Above(t.Context(), "mark.json"); err != nil || got != step.want {
			t.Errorf("above %s, after %q: %q, %v; want %q", step.at, step.put, got, err, step.want)
		}
	}
	s := open(t, server, "s3://clinic/a/b/c", Options{})
	if _, err := s.Above(t.Context(), "../x"); !errors.Is(err, problem.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
