package receiver

import "net"

// ServeAlone serves without working off the jobs.
func (r *Receiver) ServeAlone(l net.Listener) error { return r.server(nil).Serve(l) }
