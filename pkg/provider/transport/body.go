package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// whenDone calls done once: when body was read to its end, when reading it
// failed, or when it was closed. A body that is here already is done.
func whenDone(body io.ReadCloser, done func()) io.ReadCloser {
	if body == nil {
		body = http.NoBody
	}
	if _, here := body.(*whole); here || body == http.NoBody {
		done()
		return body
	}
	return &watched{body, sync.OnceFunc(done)}
}

type watched struct {
	io.ReadCloser
	done func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if err != nil {
		w.done()
	}
	return n, err
}

func (w *watched) Close() error {
	defer w.done()
	return w.ReadCloser.Close()
}

// Whole is a [Layer] that reads a response to its end before handing it on. A
// connection lost in the middle of an answer is then a failed attempt, which
// [Retry] above may repeat, rather than half an answer. It is for the pages of
// an API: what is longer than 16 MiB is handed on as it comes. The body of all
// others has a method Bytes() []byte too: a page is close to a megabyte, and
// whoever wants it whole need not copy it again. What it returns is theirs until
// the body is closed; then the next answer is read into it.
func Whole(next http.RoundTripper) http.RoundTripper {
	const most = 16 << 20
	free := make(rooms, 8)
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(req)
		if err != nil || res.Body == nil || res.Body == http.NoBody {
			return res, err
		}
		start := bytes.NewBuffer(free.take())
		if n := res.ContentLength; n > 0 && n <= most {
			start.Grow(int(n) + bytes.MinRead) // else a page is copied time and again
		}
		switch _, err := io.CopyN(start, res.Body, most); {
		case errors.Is(err, io.EOF):
			_ = res.Body.Close()
			res.Body = &whole{bytes.NewReader(start.Bytes()), start.Bytes(), free}
		case err != nil:
			_ = res.Body.Close()
			return nil, err
		default:
			res.Body = &joined{io.MultiReader(start, res.Body), res.Body}
		}
		return res, nil
	})
}

// rooms are memory that answers were read into, for those to come: to ask the
// system for a page's worth takes about as long as to read the page.
type rooms chan []byte

// take returns an empty room, which may be nil.
func (r rooms) take() []byte {
	select {
	case room := <-r:
		return room[:0]
	default:
		return nil
	}
}

// give keeps the room, unless it is too large to keep, or one too many.
func (r rooms) give(room []byte) {
	if cap(room) > 2<<20 {
		return
	}
	select {
	case r <- room:
	default:
	}
}

// whole is a body that is all here.
type whole struct {
	*bytes.Reader
	all  []byte
	free rooms // nil: it is closed
}

// Bytes is all of the body, whatever was read of it.
func (w *whole) Bytes() []byte { return w.all }

// Close gives the room back. What is read afterwards is nothing.
func (w *whole) Close() error {
	if w.free != nil {
		w.free.give(w.all)
	}
	*w = whole{Reader: bytes.NewReader(nil)}
	return nil
}

// joined reads from one and closes another.
type joined struct {
	io.Reader
	io.Closer
}
