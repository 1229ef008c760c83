package sandbox

import (
	"fmt"
	"hash/fnv"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// stock is everything that could be sold. Numbers are computed from the areas:
// the i-th number of an area is the same on every machine, and a number tells
// whether it is one of an area's without a list of them.
type stock struct {
	countries []country
	areas     []area
}

type country struct {
	code, dial, name string
	types            []numberType
}

// numberType is what a country sells of one type.
type numberType struct {
	name    string // as paths spell it: Local, TollFree, …
	price   string // US dollars a month
	address string // none, any, local or foreign
	bundle  bool
}

func (c country) typeNamed(name string) (numberType, bool) {
	i := slices.IndexFunc(c.types, func(t numberType) bool { return t.name == name })
	if i < 0 {
		return numberType{}, false
	}
	return c.types[i], true
}

type area struct {
	country, dial string
	kind          numberType
	prefix        string   // national, without the dial code
	heads         []string // what follows it, up to the last four digits
	region, lata  string
	places        []place
	count         int // numbers for sale
	offset        int // of the first number's last four digits
}

type place struct {
	name, rateCenter, postalCode string
	lat, long                    float64
}

// offer is a number for sale.
type offer struct {
	area  *area
	place *place // nil: the type has no place
	phone string // E.164
	beta  bool
	can   capabilities
}

type capabilities struct {
	Voice, SMS, MMS, Fax bool
}

func newStock() stock {
	var s stock
	for line := range tableLines(countries) {
		head, sold, _ := strings.Cut(line, "|")
		fields := strings.Fields(head)
		c := country{code: fields[0], dial: fields[1], name: strings.Join(fields[2:], " ")}
		for part := range strings.SplitSeq(sold, ";") {
			f := strings.Fields(part)
			c.types = append(c.types, numberType{name: f[0], price: f[1], address: f[2], bundle: len(f) > 3})
		}
		s.countries = append(s.countries, c)
	}
	for line := range tableLines(areas) {
		s.areas = append(s.areas, s.newArea(line))
	}
	return s
}

func tableLines(table string) iter.Seq[string] {
	return strings.SplitSeq(strings.TrimSpace(table), "\n")
}

func (s stock) newArea(line string) area {
	head, where, _ := strings.Cut(line, "|")
	f := strings.Fields(head)
	c, _ := s.country(f[0])
	kind, _ := c.typeNamed(f[1])
	digits, _ := strconv.Atoi(f[3])
	seed := hash(line)
	a := area{
		country: c.code, dial: c.dial, kind: kind, prefix: f[2],
		heads:  heads(seed, digits-4),
		count:  240 + int(seed>>8%960),
		offset: int(seed >> 24 % 10000),
	}
	if len(f) > 4 {
		a.region, a.lata = blank(f[4]), blank(f[5])
	}
	for part := range strings.SplitSeq(where, ";") {
		p := strings.Split(strings.TrimSpace(part), ",")
		if len(p) < 5 {
			continue
		}
		lat, _ := strconv.ParseFloat(p[3], 64)
		long, _ := strconv.ParseFloat(p[4], 64)
		a.places = append(a.places, place{p[0], blank(p[1]), p[2], lat, long})
	}
	return a
}

func blank(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// heads picks the exchanges of an area: of n digits, not beginning with 0 or 1
// and never a service code such as 911.
func heads(seed uint64, n int) []string {
	low := 2
	for range n - 1 {
		low *= 10
	}
	var picked []string
	for i := 0; len(picked) < 8; i++ {
		seed = mix(seed)
		head := strconv.Itoa(low + int(seed%uint64(low*4)))
		if strings.HasSuffix(head, "11") || slices.Contains(picked, head) {
			continue
		}
		picked = append(picked, head)
	}
	return picked
}

// stride is prime to 10000, so that an exchange's numbers are all different and
// do not follow one another.
const stride = 7919

func (a *area) offer(i int) offer {
	n := len(a.heads)
	line := (a.offset + i%n*1237 + i/n*stride) % 10000
	phone := fmt.Sprintf("+%s%s%s%04d", a.dial, a.prefix, a.heads[i%n], line)
	o := offer{area: a, phone: phone}
	if len(a.places) > 0 {
		o.place = &a.places[i%n%len(a.places)]
	}
	h := hash(phone)
	o.beta = chance(h, 0, 4)
	o.can = a.capabilities(h)
	return o
}

// capabilities is a believable mix: most local numbers do everything, mobile
// numbers hardly ever fax, only North America has MMS.
func (a *area) capabilities(h uint64) capabilities {
	switch america := a.dial == "1"; {
	case a.kind.name == "Mobile":
		return capabilities{Voice: true, SMS: true, MMS: false, Fax: chance(h, 1, 10)}
	case a.kind.name == "TollFree":
		return capabilities{Voice: true, SMS: america && chance(h, 2, 90), MMS: america && chance(h, 3, 80), Fax: chance(h, 1, 70)}
	case !america:
		return capabilities{Voice: true, SMS: chance(h, 2, 10), Fax: chance(h, 1, 75)}
	default:
		sms := chance(h, 2, 96)
		return capabilities{Voice: true, SMS: sms, MMS: sms && chance(h, 3, 95), Fax: chance(h, 1, 82)}
	}
}

// chance is true for percent of all h; draws of different place are independent.
func chance(h uint64, place, percent int) bool {
	for range place + 1 {
		h = mix(h)
	}
	return h%100 < uint64(percent)
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return mix(h.Sum64())
}

// mix is the finisher of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (s stock) country(code string) (country, bool) {
	i := slices.IndexFunc(s.countries, func(c country) bool { return c.code == code })
	if i < 0 {
		return country{}, false
	}
	return s.countries[i], true
}

// offers are the numbers of the areas that keep picks, one of each area in turn,
// so that a short answer shows many places.
func (s stock) offers(keep func(*area) bool) iter.Seq[offer] {
	return func(yield func(offer) bool) {
		var picked []*area
		longest := 0
		for i := range s.areas {
			if a := &s.areas[i]; keep(a) {
				picked = append(picked, a)
				longest = max(longest, a.count)
			}
		}
		for i := range longest {
			for _, a := range picked {
				if i < a.count && !yield(a.offer(i)) {
					return
				}
			}
		}
	}
}

// find looks a number up by what it is.
func (s stock) find(phone string) (offer, bool) {
	for o := range s.offers(func(a *area) bool { return strings.HasPrefix(phone, "+"+a.dial+a.prefix) }) {
		if o.phone == phone {
			return o, true
		}
	}
	return offer{}, false
}

// friendly is a number as people write it: in North America with brackets.
func friendly(phone string) string {
	if digits, found := strings.CutPrefix(phone, "+1"); found && len(digits) == 10 {
		return fmt.Sprintf("(%s) %s-%s", digits[:3], digits[3:6], digits[6:])
	}
	return phone
}
