package receiver

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// ServeAlone serves without working off the jobs.
func (r *Receiver) ServeAlone(l net.Listener) error { return r.server(nil).Serve(r.door(l)) }

// Record commits an event, and the name of the file that its document waits in.
func (r *Receiver) Record(e delivery.Event, upload string) (fresh bool, err error) {
	return r.queue.record(e, upload)
}

// Archived commits what became of the document of an event.
func (r *Receiver) Archived(e delivery.Event, d delivery.Document) error {
	return r.queue.archived(news{e, d})
}

// Certify asks for the certificate until there is one.
func (r *Receiver) Certify(ctx context.Context, config *tls.Config) { r.certify(ctx, config) }

// Connections is how many there may be at once where so many files may be open.
func Connections(wanted int, files uint64) (int, error) { return connections(wanted, files) }

// NewDoor is a listener that lets in no more than most at once, and calls onOut when
// somebody is put out.
func NewDoor(l net.Listener, most int, onOut func()) net.Listener { return newDoor(l, most, onOut) }

// Trust has a connection that a door let in be that of our provider.
func Trust(c net.Conn) { guestOf(c).trust() }
