package twilio

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/faxctl/faxctl/pkg/fax"
)

// SignalWire keeps two sets of books. What its Compatibility API leaves out, the
// receive mode of a number and the fax capability of one for sale, is in the
// other: https://developer.signalwire.com/rest/signalwire-rest/endpoints/space/.

// relaysAtOnce is how many numbers are asked for their mode at the same time.
const relaysAtOnce = 8

// withMode completes a number with what only the relay API says of it. Numbers
// have the same id there. A number that is not there keeps its unknown mode.
func (a numbers) withMode(ctx context.Context, n fax.Number) (fax.Number, error) {
	if a.dialect.relay == "" || n.Mode != fax.ModeUnknown {
		return n, nil
	}
	if err := checkID(n.ID); err != nil {
		return n, err
	}
	var w struct {
		Mode        text `json:"call_receive_mode"`
		Handler     text `json:"call_handler"`
		Application text `json:"call_laml_application_id"`
		Type        text `json:"number_type"`
	}
	err := a.get(ctx, &w, a.dialect.relay+"/"+n.ID, nil)
	if err != nil && !errors.Is(err, fax.ErrNotFound) {
		return n, err
	}
	address := n.URL()
	n.Mode = modeOf(w.Mode)
	n.SetURL(address)
	if n.Type == "" {
		n.Type = w.Type.numberType()
	}
	if w.Handler == "laml_application" && n.ApplicationID == "" {
		n.ApplicationID = string(w.Application)
	}
	return n, nil
}

// readModes completes all numbers, a few at a time.
func (a numbers) readModes(ctx context.Context, all []fax.Number) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(relaysAtOnce)
	for i := range all {
		group.Go(func() (err error) {
			all[i], err = a.withMode(ctx, all[i])
			return err
		})
	}
	return group.Wait()
}

// relayQuery says q in the words of the relay search, if it has them: one
// country, three kinds of pattern, and a place or digits but not both.
// Source: https://signalwire.com/docs/apis/relay-rest/phone-numbers/search-available-phone-numbers
func relayQuery(q fax.Query) (url.Values, bool) {
	v := url.Values{"max_results": {"100"}, "number_type": {string(q.Type)}}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("areacode", q.AreaCode)
	set("region", q.Region)
	set("city", q.Locality)
	if q.Contains != "" {
		name, digits := "contains", strings.Trim(q.Contains, "%")
		if rest, end := strings.CutSuffix(digits, "$"); end {
			name, digits = "ends_with", rest
		} else if rest, start := strings.CutPrefix(digits, "+1"); start {
			name, digits = "starts_with", rest
		}
		if !regexp.MustCompile(`^[0-9]{3,7}$`).MatchString(digits) {
			return nil, false
		}
		v.Set(name, digits)
	}
	placed := q.Region != "" || q.Locality != ""
	switch {
	case q.Country != "US", q.Beta != nil,
		placed && q.AreaCode != "",
		q.Locality != "" && q.Contains != "":
		return nil, false
	}
	return v, true
}

// relayOffer is a number for sale in the relay search.
type relayOffer struct {
	Number       text         `json:"e164"`
	Region       text         `json:"region"`
	City         text         `json:"city"`
	RateCenter   text         `json:"rate_center"`
	Capabilities capabilities `json:"capabilities"`
}
