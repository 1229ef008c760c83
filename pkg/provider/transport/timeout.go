package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Timeout ends an attempt that makes no progress: when the header of the
// response has not come within d, and when reading its body stands still for
// d. A long document that keeps coming is not cut. The error says Timeout()
// true, as a [net.Error] does. Zero or less means no limit.
//
// Unlike [http.Client.Timeout] it is a limit of one attempt, not of a request
// with all its repetitions.
func Timeout(d time.Duration) Layer {
	return func(next http.RoundTripper) http.RoundTripper {
		if d <= 0 {
			return next
		}
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			ctx, cancel := context.WithCancelCause(req.Context())
			late := timeoutError(d)
			timer := time.AfterFunc(d, func() { cancel(late) })
			stop := func() { timer.Stop(); cancel(nil) }

			res, err := next.RoundTrip(req.WithContext(ctx))
			if err != nil {
				if errors.Is(context.Cause(ctx), late) {
					err = late
				}
				stop()
				return nil, err
			}
			timer.Stop()
			if res.Body == nil || res.Body == http.NoBody {
				stop()
				return res, nil
			}
			res.Body = whenDone(&impatient{res.Body, ctx, timer, late}, stop)
			return res, nil
		})
	}
}

// impatient is a body whose every read must come to something in time. The
// timer runs only while somebody reads: a slow reader is not a slow server.
type impatient struct {
	io.ReadCloser
	ctx   context.Context // of this one attempt
	timer *time.Timer     // cancels ctx
	late  timeoutError
}

func (b *impatient) Read(p []byte) (int, error) {
	b.timer.Reset(time.Duration(b.late))
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && errors.Is(context.Cause(b.ctx), b.late) {
		err = b.late
	}
	return n, err
}

// timeoutError is how long nothing came.
type timeoutError time.Duration

func (e timeoutError) Error() string {
	return fmt.Sprintf("no answer within %v", time.Duration(e))
}

// Timeout and Temporary make it a [net.Error].
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }
