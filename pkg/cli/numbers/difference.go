package numbers

import (
	"fmt"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/numbers/plan"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// What is to be done with a number, as people read it: planning, applying,
// configuring and buying show the same.

// difference is a step as people read it: "" when there is nothing to do.
func difference(s plan.Step, paint func(output.Style, string) string) string {
	sign, style, what := "", output.None, text.Line(s.Phone)
	width := len("offer")
	switch s.Action {
	case plan.ActionBuy:
		sign, style = "+ buy", output.Good
	case plan.ActionChange:
		sign, style, width = "~ change", output.Warn, 0
	case plan.ActionRelease:
		sign, style = "- release", output.Bad
		what += ", which is not in the file"
	case plan.ActionNone, plan.ActionUnmanaged:
		return ""
	}
	for _, f := range s.Fields {
		width = max(width, len(f.Name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", paint(style, sign), what)
	if s.Name != "" {
		b.WriteString("  " + paint(output.Accent, text.Line(s.Name)))
	}
	b.WriteString("\n")
	if s.Action == plan.ActionBuy {
		fmt.Fprintf(&b, "    %-*s  %s\n", width, "offer", offered(s.Offer))
	}
	for _, f := range s.Fields {
		line := fmt.Sprintf("    %-*s  ", width, strings.ReplaceAll(f.Name, "_", " "))
		if s.Action == plan.ActionBuy {
			line += text.Line(orNothing(f.To))
		} else {
			line = arrow(line, f.From, f.To)
		}
		b.WriteString(line)
		if f.Note != "" {
			b.WriteString(paint(output.Dim, "  ("+text.Line(f.Note)+")"))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// showStep shows what is to be done with a number to the person who is about
// to be asked.
func showStep(a *app.App, s plan.Step) {
	if text := difference(s, output.Painter(false)); text != "" {
		a.Say("%s", strings.TrimSuffix(text, "\n"))
	}
}

// warnAll warns of each. What a provider says in it stays on its line.
func warnAll(a *app.App, warnings []string) {
	for _, w := range warnings {
		a.Warn("%s", text.Line(w))
	}
}

// offered is what is known of a number for sale.
func offered(o *fax.Offer) string {
	price := "at a price the provider does not tell"
	if o == nil {
		return price
	}
	if o.Price != nil {
		price = "for " + o.Price.String() + " a month"
	}
	return text.Line(strings.Join(app.NonEmpty(string(o.Type), o.Locality, o.Region, o.Country, show.Capabilities(o.Capabilities), needed(*o), beta(*o), price), ", "))
}

// needed is what a number for sale needs, as far as a search tells: whether a
// bundle is needed shows only when it is bought.
func needed(o fax.Offer) string {
	if o.Address == "" || o.Address == "none" {
		return ""
	}
	return "needs an address (" + o.Address + ")"
}

func beta(o fax.Offer) string {
	if o.Beta {
		return "beta"
	}
	return ""
}

// arrow is a change on one line of 80 columns, or else on two.
func arrow(what, from, to string) string {
	from, to = text.Line(orNothing(from)), text.Line(orNothing(to))
	if len(what)+len(from)+len(to)+len(" -> ") <= app.HelpWidth {
		return what + from + " -> " + to
	}
	return what + from + "\n" + strings.Repeat(" ", max(len(what)-len("-> "), 0)) + "-> " + to
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}
