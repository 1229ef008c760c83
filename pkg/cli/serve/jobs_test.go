package serve

import (
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// On a screen of 80 columns a list of jobs tells why each is not done: it is what one looks for.
func TestJobsTellWhyOnANarrowScreen(t *testing.T) {
	now := time.Now()
	p, err := output.New(jobType(), output.Options{Screen: output.Screen{Terminal: true, Width: 80, Now: now}})
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	job := receiver.Job{ID: 1234, Kind: "exec", State: receiver.Retrying, FaxID: "FX0123456789abcdef0123456789abcdef", Attempts: 2, Error: "the program ended with status 1", Created: now}
	if _, err := p.Print(t.Context(), &page, seq.Of([]receiver.Job{job})); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "ended with") || !strings.Contains(page.String(), "FX0123") {
		t.Errorf("it is\n%s", page.String())
	}
}
