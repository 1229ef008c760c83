package mail

import (
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
)

// CheckNames looks for each name that a rule selects by among those of the account's
// numbers, by number. A rule with a name that none of them has would tell nobody, and
// of two with the same name nobody knows which is meant. The error is problem.ErrInvalid,
// with the line of each.
func (r *Rules) CheckNames(names map[string]string) error {
	var wrong []yamlfile.Problem
	for _, rule := range r.Rules {
		if rule.ourName == "" {
			continue
		}
		var have, all []string
		for phone, name := range names {
			if name == rule.ourName {
				have = append(have, phone)
			}
			if name != "" {
				all = append(all, name)
			}
		}
		slices.Sort(have)
		slices.Sort(all)
		switch {
		case len(have) == 0:
			wrong = append(wrong, yamlfile.Problem{
				Line: rule.line, Text: "to: no number of the account has the name " + text.Quote(rule.ourName) + yamlfile.Suggest(rule.ourName, all),
				Advice: problem.Say("%s shows them", problem.Command("numbers", "list")),
			})
		case len(have) > 1:
			wrong = append(wrong, yamlfile.Problem{
				Line: rule.line, Text: "to: several numbers have the name " + text.Quote(rule.ourName) + ": " + strings.Join(have, ", "),
				Advice: problem.Say("name the number itself"),
			})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return problem.Of(problem.ErrInvalid, &yamlfile.Error{Path: r.file, Problems: wrong})
}
