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

// Works reports whether the jobs are worked off.
func (r *Receiver) Works() bool { return r.queue.working() == nil }

// ServeAlone serves without working off the jobs.
func (r *Receiver) ServeAlone(l net.Listener) error {
	return server.Serve(context.Background(), l, r.serverOptions())
}

// GiveBack gives back what runs at replicas that are gone.
func (r *Receiver) GiveBack(ctx context.Context) error {
	return r.queue.db.inTx(ctx, r.queue.giveBack)
}

// Replica is the id under which the jobs are worked on.
func (r *Receiver) Replica() string { return r.queue.office.Load().id }

// TakeUp sees to the documents that no event mentions.
func (r *Receiver) TakeUp(ctx context.Context) error { return r.takeUp(ctx) }

// Mark notes that a suspect has its turn, unless another one has.
func (r *Receiver) Mark(ctx context.Context, id int64) (bool, error) { return r.queue.mark(ctx, id) }
