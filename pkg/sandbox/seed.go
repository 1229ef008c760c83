package sandbox

import (
	"context"
	"fmt"
	"time"
)

// SeedOptions say what to put into an account.
type SeedOptions struct {
	Numbers int // bought, named and set up as an office would

	Faxes      int    // sent and received by the numbers owned
	Days       int    // over how many days, up to now; 0: 90
	InProgress int    // how many of the faxes are on the line right now
	Document   []byte // what each fax transmitted; nil: a document drawn for each
	Pages      int    // of each document; 0: mostly one to three
	Bytes      int    // about how large a document that is drawn shall be; 0: as it comes
}

// Seeded is what of the faxes that were added a person would look for in vain.
type Seeded struct {
	Past    int  // so many are older than the dialect keeps faxes
	GivenUp bool // no number that can fax is owned: they are of numbers given up since
}

// Seed adds to the account in one go. It is an error when there are not as many
// numbers left for sale; nothing is added then.
func (s *Sandbox) Seed(ctx context.Context, o SeedOptions) (Seeded, error) {
	numbers, err := s.seedNumbers(ctx, o.Numbers)
	if err != nil {
		return Seeded{}, fmt.Errorf("seed sandbox: %w", err)
	}
	if err := s.state.addNumbers(ctx, numbers...); err != nil {
		return Seeded{}, fmt.Errorf("seed sandbox: %w", err)
	}
	seeded, err := s.seedFaxes(ctx, o)
	if err != nil {
		return Seeded{}, fmt.Errorf("seed sandbox: %w", err)
	}
	return seeded, nil
}

// seedNumbers takes from the far end of the stock, so that what a search shows
// first stays for sale.
func (s *Sandbox) seedNumbers(ctx context.Context, count int) ([]number, error) {
	owned, err := s.state.phones(ctx)
	if err != nil {
		return nil, err
	}
	var picked []*area
	longest := 0
	for i := range s.stock.areas {
		if a := &s.stock.areas[i]; a.dial == "1" && a.kind.name == "Local" {
			picked = append(picked, a)
			longest = max(longest, a.count)
		}
	}
	var numbers []number
	for i := longest - 1; i >= 0; i-- {
		for _, a := range picked {
			if len(numbers) == count {
				return numbers, nil
			}
			if i >= a.count {
				continue
			}
			if o := a.offer(i); !owned[o.phone] {
				numbers = append(numbers, s.seedNumber(o, len(numbers), count, len(owned)))
			}
		}
	}
	if len(numbers) < count {
		return nil, fmt.Errorf("numbers: %d wanted, %d for sale", count, len(numbers))
	}
	return numbers, nil
}

// seedNumber sets a number up: most receive faxes, a few are left with the
// mistakes people make.
func (s *Sandbox) seedNumber(o offer, i, count, owned int) number {
	bought := s.now().Add(-time.Duration(count-i) * time.Hour)
	n := newNumber(o, bought)
	n.Name = seedName(o, owned+i)
	h := hash(o.phone)
	if !o.can.Fax || chance(h, 4, 30) {
		n.Set["VoiceUrl"] = "https://voice.example.com/answer"
		return n
	}
	n.Mode = "fax"
	n.Set["VoiceUrl"] = "https://fax.example.com/in"
	n.Set["VoiceFallbackUrl"] = "https://backup.example.com/in"
	switch {
	case chance(h, 5, 3):
		delete(n.Set, "VoiceUrl")
	case chance(h, 6, 3):
		n.Set["TrunkSid"] = "TK" + newID()
	case chance(h, 7, 5):
		delete(n.Set, "VoiceFallbackUrl")
	}
	return n
}

func seedName(o offer, i int) string {
	desks := []string{"front desk", "accounts", "orders", "records", "referrals", "human resources", "legal", "pharmacy"}
	return fmt.Sprintf("%s %s %d", o.place.name, desks[i%len(desks)], i/len(desks)+1)
}
