package transport_test

import (
	"testing"

	"github.com/faxctl/faxctl/pkg/provider/transport"
)

func TestBase(t *testing.T) {
	base := transport.Base(32)
	if base.MaxIdleConnsPerHost != 32 || base.TLSHandshakeTimeout == 0 || base.Proxy == nil || base.DialContext == nil {
		t.Errorf("got %+v", base)
	}
}
