package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/sandbox"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// load gathers what became of many calls.
type load struct {
	begin        time.Time
	calls        int
	failed, lost int
	statuses     map[string]int
	problems     map[string]int
	asked, told  []time.Duration
}

func newLoad() *load {
	return &load{begin: time.Now(), statuses: map[string]int{}, problems: map[string]int{}}
}

func (l *load) add(c sandbox.Call) {
	l.calls++
	l.statuses[c.Status]++
	if poorly(c) != nil {
		l.failed++
	}
	if c.Lost {
		l.lost++
	}
	for _, r := range c.Requests {
		if r.Code != 0 {
			l.problems[fmt.Sprintf("%d %s", r.Code, r.Problem)]++
		}
		if r.Purpose == "action" {
			l.told = append(l.told, r.Took)
		} else {
			l.asked = append(l.asked, r.Took)
		}
	}
}

// loadSummary is how a receiver stood a load. Times are in milliseconds.
type loadSummary struct {
	Calls     int            `json:"calls"`
	Failed    int            `json:"failed"` // calls in which the application did not do its part
	Lost      int            `json:"lost"`   // documents nobody has
	Seconds   float64        `json:"seconds"`
	Rate      float64        `json:"rate"` // calls a second
	Statuses  map[string]int `json:"statuses"`
	Problems  map[string]int `json:"problems,omitempty"`
	AnswerP50 float64        `json:"answer_p50_ms"` // of the fax URL
	AnswerP99 float64        `json:"answer_p99_ms"`
	ActionP50 float64        `json:"action_p50_ms"` // of the action URL
	ActionP99 float64        `json:"action_p99_ms"`
}

func (l *load) summary() loadSummary {
	took := time.Since(l.begin).Seconds()
	return loadSummary{
		Calls: l.calls, Failed: l.failed, Lost: l.lost, Seconds: took, Rate: float64(l.calls) / took,
		Statuses: l.statuses, Problems: l.problems,
		AnswerP50: quantile(l.asked, 0.50), AnswerP99: quantile(l.asked, 0.99),
		ActionP50: quantile(l.told, 0.50), ActionP99: quantile(l.told, 0.99),
	}
}

// quantile is the time, in milliseconds, within which a share of all was done.
func quantile(all []time.Duration, share float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	at := min(int(share*float64(len(all))), len(all)-1)
	return float64(all[at]) / float64(time.Millisecond)
}

func counts(m map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		all = append(all, fmt.Sprintf("%d %s", m[name], name))
	}
	return strings.Join(all, ", ")
}

func loadType() output.Type[loadSummary] {
	number := func(name string, digits int, get func(loadSummary) float64) output.Column[loadSummary] {
		return output.Column[loadSummary]{Name: name, Right: true, Value: func(s loadSummary) string {
			return strconv.FormatFloat(get(s), 'f', digits, 64)
		}}
	}
	return output.Type[loadSummary]{
		ID: func(s loadSummary) string { return strconv.Itoa(s.Calls) },
		Columns: []output.Column[loadSummary]{
			number("calls", 0, func(s loadSummary) float64 { return float64(s.Calls) }),
			number("failed", 0, func(s loadSummary) float64 { return float64(s.Failed) }),
			number("lost", 0, func(s loadSummary) float64 { return float64(s.Lost) }),
			{Name: "statuses", Value: func(s loadSummary) string { return counts(s.Statuses) }},
			number("seconds", 2, func(s loadSummary) float64 { return s.Seconds }),
			number("rate", 1, func(s loadSummary) float64 { return s.Rate }),
			number("answer_p50_ms", 2, func(s loadSummary) float64 { return s.AnswerP50 }),
			number("answer_p99_ms", 2, func(s loadSummary) float64 { return s.AnswerP99 }),
			number("action_p50_ms", 2, func(s loadSummary) float64 { return s.ActionP50 }),
			number("action_p99_ms", 2, func(s loadSummary) float64 { return s.ActionP99 }),
			{Name: "problems", Value: func(s loadSummary) string { return counts(s.Problems) }},
		},
	}
}

func callType() output.Type[sandbox.Call] {
	return output.Type[sandbox.Call]{
		ID: func(c sandbox.Call) string { return c.FaxID },
		Columns: []output.Column[sandbox.Call]{
			{Name: "fax_id", Value: func(c sandbox.Call) string { return c.FaxID }, Whole: true, Style: show.Accent[sandbox.Call]},
			{Name: "answer", Value: func(c sandbox.Call) string { return c.Answer }},
			{Name: "status", Value: func(c sandbox.Call) string { return c.Status }},
			{Name: "pages", Value: func(c sandbox.Call) string { return strconv.Itoa(c.Pages) }, Right: true},
			show.YesColumn("told", func(c sandbox.Call) bool { return c.Told }),
			{Name: "error_code", Value: func(c sandbox.Call) string {
				if c.ErrorCode == 0 {
					return ""
				}
				return strconv.Itoa(c.ErrorCode)
			}},
			{Name: "error_message", Value: func(c sandbox.Call) string { return c.ErrorMessage }, Style: func(sandbox.Call) output.Style { return output.Bad }},
			{Name: "from", Value: func(c sandbox.Call) string { return c.From }, Whole: true, Wide: true},
			{Name: "to", Value: func(c sandbox.Call) string { return c.To }, Whole: true, Wide: true},
		},
	}
}
