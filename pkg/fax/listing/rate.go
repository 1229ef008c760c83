package listing

// A rate is how densely faxes come, and what that means in pages of the provider.
// People send in the same hours of the same days: what came in an hour of the week says
// what comes in it. Of a day not seen yet, the busiest that was seen tells at which hours
// nothing comes; until then all hours are alike.
type rate struct {
	page  float64 // faxes that the provider gives at a time
	all   tally
	hours [day]tally // of the busiest day
	week  [week]tally

	came, expected float64 // lately, in hours of which something was known
}

const (
	hour = 3600 // seconds
	day  = 24   // hours
	week = 7 * day
)

// tally is how many faxes came in so many seconds.
type tally struct{ faxes, seconds float64 }

// add takes in another stretch; of what was learned before, keep counts on.
func (t *tally) add(more tally, keep float64) {
	t.faxes = t.faxes*keep + more.faxes
	t.seconds = t.seconds*keep + more.seconds
}

// or is the faxes a second; of a few minutes it is rather what is known otherwise.
func (t tally) or(otherwise float64) float64 {
	const minutes = 5 * 60
	return (t.faxes + otherwise*minutes) / (t.seconds + minutes)
}

// newRate guesses that all faxes come as densely as the first did.
func newRate(faxes int, seconds, page float64) *rate {
	return &rate{page: page, all: tally{float64(faxes), seconds}, came: page, expected: page}
}

// learn takes in that these are all faxes from one time to another, in Unix seconds.
// What was learned long ago counts less and less. Where nothing comes any more, the account
// may have begun: the windows before that are soon large.
func (r *rate) learn(faxes []int64, from, to int64) {
	const keep, year = 0.9, 52 * week * hour
	from = max(from, to-year)
	each := map[int64]float64{}
	for _, at := range faxes {
		each[floor(at, hour)]++
	}
	came, expected := 0.0, 0.0
	for at := from; at < to; {
		h := floor(at, hour)
		end := min((h+1)*hour, to)
		now := tally{each[h], float64(end - at)}
		busiest, same := r.of(h)
		if same.seconds > 0 {
			came, expected = came+now.faxes, expected+r.density(h)*now.seconds
		}
		if busiest.seconds == 0 || now.or(0) > busiest.or(0) {
			*busiest = now
		}
		same.add(now, 1-now.seconds/hour/2)
		at = end
	}
	r.all.add(tally{float64(len(faxes)), float64(to - from)}, keep)
	if expected > 0 {
		r.came = r.came*keep + came
		r.expected = r.expected*keep + expected
	}
}

// of is what is known of an hour since 1970: the same of the busiest day, and of the week.
func (r *rate) of(h int64) (busiest, same *tally) {
	return &r.hours[h-floor(h, day)*day], &r.week[h-floor(h, week)*week]
}

// density is the faxes a second that are expected in an hour.
func (r *rate) density(h int64) float64 {
	busiest, same := r.of(h)
	return same.or(busiest.or(r.all.or(0)))
}

// window is how many seconds before hi make a good window; all down to lo at most.
func (r *rate) window(hi, lo int64) int64 {
	room := pagesEach * r.page * r.expected / r.came
	for at := hi; at > lo; {
		h := floor(at-1, hour)
		begin := max(h*hour, lo)
		density := r.density(h)
		if comes := density * float64(at-begin); comes < room {
			room, at = room-comes, begin
			continue
		}
		return max(1, hi-at+int64(room/density))
	}
	return max(1, hi-lo)
}

// floor is a / b, rounded down also before 1970.
func floor(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
