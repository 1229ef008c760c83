package receiver

import (
	"context"
	"net"

	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/server"
)

// Record commits an event, and the name of the file that its document waits in.
func (r *Receiver) Record(e delivery.Event, upload string) (fresh bool, err error) {
	return r.queue.record(e, upload)
}

// Archived commits what became of the document of an event.
func (r *Receiver) Archived(e delivery.Event, d delivery.Document) error {
	return r.queue.archived(delivery.News{Event: e, Document: d})
}

// ServeAlone serves without working off the jobs.
func (r *Receiver) ServeAlone(l net.Listener) error {
	return server.Serve(context.Background(), l, r.serverOptions())
}
