package fax

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPacked: faxes come out as they went in, whatever is in them, and however many words
// they have.
func TestPacked(t *testing.T) {
	at := time.Date(2026, 11, 20, 8, 15, 30, 123456789, time.UTC)
	faxes := []Fax{
		{},
		{
			ID: "FX1\x00", From: "+14165550111", To: "+14155550123", Direction: Inbound, Status: Received, Quality: "fine",
			Pages: new(3), Duration: new(math.MinInt), Price: &Money{Amount: "-0.03", Currency: "USD"}, MediaID: "ME1",
			Created: at, Updated: at.Add(-1), ErrorCode: "34002", ErrorMessage: "The called\nnumber \xff",
			MediaURL: "https://media.example.com/1?a=b", Raw: []byte(`{"sid":"FX1"}`),
		},
		{ID: "FX1", Pages: new(0), Price: new(Money), Created: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), Updated: time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC)},
		{ID: "FX1", Pages: new(math.MaxInt), Created: time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	for i := range mostWords + 200 {
		faxes = append(faxes, Fax{ID: fmt.Sprint(i), From: fmt.Sprint("+", i), To: "+14155550123", Created: at.Add(time.Duration(-i) * time.Hour)})
	}
	packed := Pack(faxes...)
	got, err := Collect(packed.All())
	if diff := cmp.Diff(faxes, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if last := packed.Len() - 1; last != len(faxes)-1 || !cmp.Equal(packed.At(last), faxes[last]) {
		t.Errorf("the last of %d is %+v", packed.Len(), packed.At(last))
	}
	for range packed.All() {
		break
	}
}

// TestPackedInOrder: they are sorted by date and id, and some are removed, as of a slice.
func TestPackedInOrder(t *testing.T) {
	var packed Packed
	packed.NewestFirst() // of none
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for i, id := range []string{"b", "aa", "a", "c", "d", "undated", "before 1970"} {
		f := Fax{ID: id, Created: at.Add(time.Duration(i/3) * time.Nanosecond)}
		switch id {
		case "undated":
			f.Created = time.Time{}
		case "before 1970":
			f.Created = time.Unix(-1, 0)
		}
		packed.Add(f)
	}
	ids := func() (ids []string) {
		for f := range packed.All() {
			ids = append(ids, f.ID)
		}
		return ids
	}
	packed.NewestFirst()
	if got, want := ids(), []string{"c", "d", "a", "aa", "b", "before 1970", "undated"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	var asked []string
	packed.DeleteFunc(func(f Fax) bool {
		asked = append(asked, f.ID)
		return len(f.ID) == 1
	})
	packed.Reverse()
	if got, want := ids(), []string{"undated", "before 1970", "aa"}; !slices.Equal(got, want) || len(asked) != 7 || asked[0] != "c" {
		t.Errorf("%q, want %q; asked %q", got, want, asked)
	}
	packed.Add(Fax{ID: "new"})
	if got := packed.At(3).ID; got != "new" {
		t.Errorf("%q was added", got)
	}
}

// TestPackedIsSmall: what a fax takes of memory is a promise of prunes, which hold as many
// as there are.
func TestPackedIsSmall(t *testing.T) {
	const n, most = 20_000, 170 // bytes
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var packed Packed
	for i := range n {
		packed.Add(Fax{
			ID: fmt.Sprintf("FX%032d", i), From: fmt.Sprintf("+1416555%04d", i%5000), To: "+14155550123", Direction: Inbound, Status: Received, Quality: "fine",
			Pages: new(3), Duration: new(74), Price: &Money{Amount: "-0.03", Currency: "USD"}, MediaID: fmt.Sprintf("ME%032d", i),
			Created: time.Unix(int64(i), 0), Updated: time.Unix(int64(i), 0),
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := int64(after.HeapAlloc-before.HeapAlloc) / int64(packed.Len()); each > most {
		t.Errorf("%d bytes for each fax, want %d at most", each, most)
	} else {
		t.Logf("%d bytes for each fax", each)
	}
}
