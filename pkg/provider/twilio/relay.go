package twilio

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// SignalWire keeps two sets of books. What its Compatibility API leaves out, the
// receive mode of a number and the fax capability of one for sale, is in the
// other: https://developer.signalwire.com/rest/signalwire-rest/endpoints/space/.

const (
	// relaysAtOnce is how many numbers are asked for their mode at the same time.
	relaysAtOnce = 8

	// fewRelays are numbers for which that is better than to read the whole list.
	fewRelays = 20
)

// relayPages are sizes of the pages of that list, the largest first: how many it
// gives is not documented everywhere, and one that is too large is refused.
func (a numbers) relayPages() []int { return []int{a.dialect.PageSize, 250, 100, 50} }

// relayNumber is an owned number in the relay API. It has the id that it has in
// the other one.
// Source: https://signalwire.com/docs/apis/rest/phone-numbers/list-phone-numbers
type relayNumber struct {
	ID          string `json:"id"`
	Mode        scalar `json:"call_receive_mode"`
	Handler     scalar `json:"call_handler"`
	Application scalar `json:"call_laml_application_id"`
	Resource    scalar `json:"calling_handler_resource_id"`
	Type        scalar `json:"number_type"`
}

// complete adds to n what only the relay API says. The zero relayNumber, of a
// number that is not there, adds nothing.
func (w relayNumber) complete(n fax.Number) fax.Number {
	if mode := modeOf(w.Mode); mode != fax.ModeUnknown {
		address := n.URL()
		n.Mode = mode
		n.SetURL(address)
	}
	if n.Type == "" {
		n.Type = w.Type.numberType()
	}
	switch {
	case w.Resource != "":
		n.CallHandler = "resource " + string(w.Resource)
	case w.Handler == "laml_application":
		n.ApplicationID = cmp.Or(n.ApplicationID, string(w.Application), string(w.Handler))
	case w.Handler != "laml_webhooks": // the one that asks the URL
		n.CallHandler = string(w.Handler)
	}
	return n
}

// withMode completes one number.
func (a numbers) withMode(ctx context.Context, n fax.Number) (fax.Number, error) {
	if a.dialect.relay == "" {
		return n, nil
	}
	if err := checkID("number", n.ID); err != nil {
		return n, err
	}
	var w relayNumber
	err := a.get(ctx, &w, a.dialect.relay+"/"+n.ID, nil)
	if err != nil && !errors.Is(err, problem.ErrNotFound) {
		return n, err
	}
	if w.ID != "" && w.ID != n.ID {
		return n, aboutAnother("number", w.ID)
	}
	return w.complete(n), nil
}

// modeReader is a way to complete a page of the numbers that f selects: when it
// selects all, or many, by reading the relay API's list alongside, a page for a
// page; when only a few, one by one, side by side.
func (a numbers) modeReader(f fax.NumberFilter) func(context.Context, []fax.Number) error {
	if !f.WithMode || a.dialect.relay == "" {
		return func(context.Context, []fax.Number) error { return nil }
	}
	list := &relayList{numbers: a, known: map[string]relayNumber{}, sizes: a.relayPages()}
	if size := a.pageSize(f); size < list.sizes[0] {
		list.sizes = append([]int{size}, slices.DeleteFunc(list.sizes, func(s int) bool { return s >= size })...)
	}
	everything := f == fax.NumberFilter{WithMode: true, Most: f.Most}
	return func(ctx context.Context, all []fax.Number) error {
		if everything || list.begun || len(all) > fewRelays {
			return list.complete(ctx, all)
		}
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
}

// relayList reads the relay API's list of numbers as far as it is asked to. The
// two lists need not be in the same order: what came early waits in known.
type relayList struct {
	numbers
	known        map[string]relayNumber
	cursor       string
	sizes        []int // of a page; the first is asked for
	begun, ended bool
}

// complete adds to each number what the list says of it.
func (l *relayList) complete(ctx context.Context, all []fax.Number) error {
	for i, n := range all {
		for !l.ended {
			if _, ok := l.known[n.ID]; ok {
				break
			}
			if err := l.readPage(ctx); err != nil {
				return err
			}
		}
		all[i] = l.known[n.ID].complete(n)
		delete(l.known, n.ID)
	}
	return nil
}

func (l *relayList) readPage(ctx context.Context) error {
	query, err := url.ParseQuery(l.cursor)
	if err != nil {
		return badLink()
	}
	query.Set("page_size", strconv.Itoa(l.sizes[0]))
	var w struct {
		Links struct {
			Next string `json:"next"`
		} `json:"links"`
		List []relayNumber `json:"data"`
	}
	err = l.get(ctx, &w, l.dialect.relay, query)
	if errors.Is(err, problem.ErrInvalid) && !l.begun && len(l.sizes) > 1 {
		l.sizes = l.sizes[1:]
		return nil // the next page is the first one, smaller
	}
	if err != nil {
		return err
	}
	l.begun = true
	for _, n := range w.List {
		l.known[n.ID] = n
	}
	before := l.cursor
	l.cursor, err = cursorOf(w.Links.Next, "page_number", "page_token")
	l.ended = l.cursor == "" || l.cursor == before
	return err
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
		if len(digits) < info.Of(info.SignalWire).FaxSearch.Digits || len(digits) > 7 || !text.MadeOf(digits, text.Digits) {
			return nil, false
		}
		v.Set(name, digits)
	}
	placed := q.Region != "" || q.Locality != ""
	if q.Country != "US" ||
		q.Beta != nil ||
		placed && q.AreaCode != "" ||
		q.Locality != "" && q.Contains != "" {
		return nil, false
	}
	return v, true
}

// relayOffer is a number for sale in the relay search.
type relayOffer struct {
	Number       scalar       `json:"number"`
	E164         scalar       `json:"e164"` // what the number is called in answers that were seen
	Region       scalar       `json:"region"`
	City         scalar       `json:"city"`
	RateCenter   scalar       `json:"rate_center"`
	Capabilities capabilities `json:"capabilities"`
}
