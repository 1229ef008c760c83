package fetch

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// TestAtMost: a document of the limit is taken; one byte more is not, and is
// neither asked for again nor kept.
func TestAtMost(t *testing.T) {
	pdf := sheet(t, paper.PDF, 3)
	long := int64(len(pdf))
	for _, tc := range []struct {
		name   string
		server *server
		most   int64
		asked  int
	}{
		{"just so long", &server{body: pdf}, long, 1},
		{"just so long, and not announced", &server{body: pdf, size: -1}, long, 1},
		{"announced too long", &server{body: pdf}, long - 1, 1},
		{"too long, and not announced", &server{body: pdf, size: -1}, long - 1, 1},
		{"too long in two parts", &server{body: pdf, etag: `"v1"`, size: -1, breaks: []int{1000}}, long - 1, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			got, err := Save(t.Context(), AtMost(tc.server, tc.most), record(3), Target{Dir: dir, Base: "doc"}, Options{})
			var large *TooLargeError
			if tc.most == long {
				if err != nil || got.Size != long {
					t.Errorf("%+v, %v", got, err)
				}
			} else if !errors.As(err, &large) || !errors.Is(err, problem.ErrInvalid) || large.Most != tc.most {
				t.Errorf("%v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*")); tc.most < long && len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			if len(tc.server.asked) != tc.asked {
				t.Errorf("asked %v", tc.server.asked)
			}
		})
	}
}

// TestAtMostCloses: what is refused is closed, so that its connection is free.
func TestAtMostCloses(t *testing.T) {
	body := &closing{Reader: bytes.NewReader(nil)}
	if _, err := AtMost(opened{doc: fax.Document{Body: body, Size: 2}}, 1).Open(t.Context(), fax.Fax{}, 0); err == nil || !body.closed {
		t.Errorf("%v, closed: %v", err, body.closed)
	}
}

type opened struct {
	fax.Faxes
	doc fax.Document
}

func (o opened) Open(context.Context, fax.Fax, int64) (fax.Document, error) { return o.doc, nil }

type closing struct {
	*bytes.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}
