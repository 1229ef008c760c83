package app

import (
	"cmp"
	"context"
	"time"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Names are what a person calls the numbers of the account. They are an ornament of a
// list: asked for beside what the list needs, and a number of which no name is known
// is shown as it is. Keys that may not read numbers, and providers that are slow with
// them, cost a list nothing but the names.
type Names struct {
	asked chan map[string]string // by phone number; nil: nobody waits for them
	known map[string]string
}

// patienceForNames is how long a list that could be drawn waits for them.
const patienceForNames = 2 * time.Second

// mostNames is how many numbers are read, which is one request.
const mostNames = 1000

// AskNames asks for names where the printer will draw them, and does not wait.
func (p *Printing[T]) AskNames(ctx context.Context, n *Names) {
	if !p.A.DrawsTables() || !p.Lists("number") {
		return
	}
	numbers, err := p.A.Numbers(ctx)
	if err != nil {
		return // it has faxes, and no numbers
	}
	ctx, cancel := context.WithCancel(ctx)
	asked, ended := make(chan map[string]string, 1), make(chan struct{})
	n.asked = asked
	go func() {
		defer close(ended)
		asked <- namesOf(ctx, numbers)
	}()
	p.A.OnClose(func() error { cancel(); <-ended; return nil })
}

// namesOf are as many names as can be had.
func namesOf(ctx context.Context, numbers fax.Numbers) map[string]string {
	names := map[string]string{}
	read := 0
	for n, err := range numbers.List(ctx, fax.NumberFilter{Most: mostNames}) {
		if err != nil {
			break
		}
		names[n.Phone] = n.Name
		if read++; read == mostNames {
			break
		}
	}
	return names
}

// Of is the name of a number, or the number. The first call waits for the names, a
// moment at most.
func (n *Names) Of(phone string) string {
	if n.asked != nil {
		select {
		case n.known = <-n.asked:
		case <-time.After(patienceForNames):
		}
		n.asked = nil
	}
	return cmp.Or(n.known[phone], phone)
}
