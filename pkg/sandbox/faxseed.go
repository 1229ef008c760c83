package sandbox

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// seedFaxes makes up the traffic of an office: most of it comes in, on working
// days, from a few senders again and again; a little of it fails. At one moment
// an account gets the same faxes on every machine.
func (s *Sandbox) seedFaxes(ctx context.Context, o SeedOptions) (done Seeded, err error) {
	if o.Faxes == 0 {
		return done, nil
	}
	if o.Faxes < 0 || o.Days < 0 || o.Days > 36_500 || o.InProgress < 0 || o.Pages < 0 || o.InProgress > o.Faxes {
		return done, fmt.Errorf("%d faxes in %d days, %d of them in progress: want numbers that fit each other", o.Faxes, o.Days, o.InProgress)
	}
	already, err := s.state.countFaxes(ctx)
	if err != nil {
		return done, err
	}
	ours, err := s.state.faxLines(ctx)
	if len(ours) == 0 && err == nil {
		done.GivenUp = true
		ours, err = s.formerLines(ctx)
	}
	if err != nil {
		return done, err
	}
	days := cmp.Or(o.Days, 90)
	now := s.now()
	t := traffic{rand: rand.New(rand.NewPCG(180, uint64(already))), moment: rand.New(rand.NewPCG(180, uint64(now.UnixNano()))), now: now, ours: ours, theirs: correspondents(), pages: o.Pages}
	rows := make([]faxRow, o.Faxes)
	for i := range rows {
		rows[i] = t.fax(days, i < o.InProgress)
		rows[i].Bytes = o.Bytes
		if rows[i].seq < s.oldest() {
			done.Past++
		}
	}
	slices.SortFunc(rows, func(a, b faxRow) int { return cmp.Compare(a.seq, b.seq) })
	return done, s.state.addFaxes(ctx, rows, o.Document)
}

// formerLines are the numbers that faxes went to and came from in an account that
// owns none for them: it has given these up since.
func (s *Sandbox) formerLines(ctx context.Context) ([]string, error) {
	const lines, among = 5, 40 // not all of those that are picked can fax
	numbers, err := s.seedNumbers(ctx, among)
	if err != nil {
		return nil, err
	}
	var former []string
	for _, n := range numbers {
		if n.Mode == "fax" && len(former) < lines {
			former = append(former, n.Phone)
		}
	}
	return former, nil
}

// correspondent is somebody at the other end.
type correspondent struct{ phone, station string }

// correspondents have numbers kept free for fiction: 555-01xx.
func correspondents() []correspondent {
	names := []string{
		"Harbor View Clinic", "Alder Creek Medical", "Northgate Imaging", "Old Mill Pharmacy", "County Court",
		"Stone Bridge Ortho", "Summit Insurance", "Juniper Pharmacy", "Keystone Title", "Riverside Hospice",
		"Blue Heron Freight", "Lakeside Dental", "Orchard Pediatrics", "Fifth District Clrk", "Quarry Rd Lab",
	}
	areas := []string{"212", "303", "312", "404", "415", "503", "602", "617", "713", "808"}
	var all []correspondent
	for i := range 240 {
		all = append(all, correspondent{
			phone:   fmt.Sprintf("+1%s55501%02d", areas[i%len(areas)], i*37%100),
			station: names[i%len(names)],
		})
	}
	return all
}

// traffic makes faxes up.
type traffic struct {
	rand   *rand.Rand
	moment *rand.Rand // of ids alone: what is made up at another moment, as after a reset, is another fax
	now    time.Time
	ours   []string
	theirs []correspondent
	pages  int // of each; 0: as it happens
}

func (t traffic) percent(n int) bool { return t.rand.IntN(100) < n }

func (t traffic) id() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(t.rand.Uint32()) ^ byte(t.moment.Uint32())
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:])
}

func (t traffic) fax(days int, inProgress bool) faxRow {
	// The first correspondents have the most to say.
	them := t.theirs[int(float64(len(t.theirs))*t.rand.Float64()*t.rand.Float64())]
	us := t.ours[t.rand.IntN(len(t.ours))]
	f := Fax{
		ID: t.id(), From: them.phone, To: us, Direction: "inbound", Station: them.station,
		Created: t.created(days), Quality: "standard", PageSize: "letter", ContentType: "application/pdf",
	}
	if t.percent(22) {
		f.Direction, f.From, f.To, f.Station = "outbound", us, them.phone, ""
	}
	if t.percent(40) {
		f.Quality = "fine"
	}
	if t.percent(8) {
		f.PageSize = "legal"
	}
	if t.percent(10) {
		f.ContentType = "image/tiff"
	}
	if inProgress {
		f.Created = t.now.Add(-time.Duration(t.rand.IntN(180)) * time.Second)
		f.Status = "receiving"
		if f.Direction == "outbound" {
			f.Status = []string{"processing", "sending"}[t.rand.IntN(2)]
		}
	} else {
		t.finish(&f)
	}
	f.Updated = f.Created.Add(time.Duration(f.Duration) * time.Second)
	// Half of a second's places are for those; the rest is for who comes after.
	return faxRow{Fax: f, seq: slot(f.Created) + t.rand.Int64N(1<<(slotBits-1))}
}

// created is a time in office hours, mostly, of the last days.
func (t traffic) created(days int) time.Time {
	for {
		back := time.Duration(t.rand.Int64N(int64(days) * 24 * int64(time.Hour)))
		at := t.now.Add(-back).Truncate(time.Second)
		weekend := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday
		night := at.Hour() < 13 // in American offices; the clock is UTC
		if weekend && !t.percent(15) || night && !t.percent(20) {
			continue
		}
		return at
	}
}

// finish decides how a fax ended.
func (t traffic) finish(f *Fax) {
	type end struct {
		percent int
		status  string
		code    int
		message string
	}
	ends := []end{{3, "failed", 34004, "Transmission error"}}
	f.Status = "received"
	if f.Direction == "outbound" {
		f.Status = "delivered"
		ends = append(ends,
			end{4, "busy", 34002, "The line is busy"},
			end{4, "no-answer", 34003, "Nobody answered"},
			end{2, "failed", 34108, "The far end is not compatible"},
			end{1, "canceled", 0, ""})
	}
	for _, e := range ends {
		if t.percent(e.percent) {
			f.Status, f.ErrorCode, f.ErrorMessage = e.status, e.code, e.message
			f.Duration = t.rand.IntN(40)
			return
		}
	}
	// Mostly one to three pages, now and then a chart or a brief.
	f.Pages = 1 + t.rand.IntN(3)
	if t.percent(20) {
		f.Pages = 4 + t.rand.IntN(9)
	}
	f.Pages = cmp.Or(t.pages, f.Pages)
	perPage := 22 // seconds
	if f.Quality == "fine" {
		perPage = 38
	}
	f.Duration = 12 + f.Pages*perPage + t.rand.IntN(15)
	perPage = 1 // cent
	if f.Direction == "outbound" {
		perPage = 7
	}
	f.Price = fmt.Sprintf("%d.%02d", f.Pages*perPage/100, f.Pages*perPage%100)
	f.MediaID = t.id()
}
