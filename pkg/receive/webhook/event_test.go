package webhook_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// What a dialect tells is read as it was meant: what Twilio does not send is empty.
func TestParseEvent(t *testing.T) {
	whole := webhook.Event{
		FaxID: "FX1", AccountID: "AC1", From: "+14155550100", To: "+14155550199", Status: "failed", Station: "THEIR FAX", Pages: new(0),
		MediaID: "ME1", MediaURL: "https://media.example/ME1", ErrorCode: "12400", ErrorMessage: "no carrier",
		Time: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}
	if d := cmp.Diff(whole, webhook.ParseEvent(webhook.SignalWire.Form(whole))); d != "" {
		t.Errorf("signalwire (-sent +read):\n%s", d)
	}
	without := whole
	without.MediaID, without.Time = "", time.Time{}
	if d := cmp.Diff(without, webhook.ParseEvent(webhook.Twilio.Form(whole))); d != "" {
		t.Errorf("twilio (-sent +read):\n%s", d)
	}
	odd := url.Values{"FaxSid": {"FX1"}, "ErrorCode": {"0"}, "NumPages": {"-1"}, "Timestamp": {"yesterday"}}
	if d := cmp.Diff(webhook.Event{FaxID: "FX1"}, webhook.ParseEvent(odd)); d != "" {
		t.Errorf("what cannot be read (-want +got):\n%s", d)
	}
}
