package serve

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// A delivery whose document is in a bucket that is away has not begun.
func TestLendWaits(t *testing.T) {
	settings := map[string]string{
		"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	}
	kept := newArchived(archive.Opener{Getenv: func(name string) string { return settings[name] }, Patience: time.Millisecond}, "s3://clinic/kept", slog.New(slog.DiscardHandler))
	ran := false
	lent := kept.lend(delivery.Delivery{Reads: true, Deliver: func(context.Context, delivery.News, delivery.Target) error {
		ran = true
		return nil
	}})
	err := lent.Deliver(t.Context(), delivery.News{Document: delivery.Document{SHA256: "of a document"}}, delivery.Target{})
	if !errors.Is(err, delivery.ErrNotBegun) || ran {
		t.Errorf("%v, it ran: %t", err, ran)
	}
}
