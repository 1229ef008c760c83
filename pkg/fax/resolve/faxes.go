package resolve

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Faxes are the ids of the faxes that refs name, in their order. A whole id stands for
// itself, whether there is such a fax or not.
//
// One that is not whole is looked up among the ids that there are, which are read once,
// and only if need be. [Reading.Freely]: it may be in another case, or the beginning of
// one alone; what begins none is left to whoever is asked for it. Otherwise it is
// refused as a whole list, before anything is done with the rest: what is cut off deletes
// nothing, and the advice says which was likely meant.
//
// There says where whole ids are to be had. ErrNotFound: no whole id. ErrInvalid: the
// beginning of several. Errors of ids.
func Faxes(refs []string, how Reading, ids iter.Seq2[string, error], there problem.Invocation) ([]string, error) {
	begun := map[string][]string{} // what is not whole, and the ids that it may mean
	look := false
	for _, ref := range refs {
		if !fax.PlausibleID(ref) {
			begun[ref] = nil
			look = look || canonical(ref) == "" && mayBegin(ref)
		}
	}
	if look {
		if err := lookUp(begun, ids); err != nil {
			return nil, err
		}
	}
	out := slices.Clone(refs)
	for i, ref := range refs {
		meant, partial := begun[ref]
		if whole := canonical(ref); len(meant) == 0 && whole != "" {
			meant = []string{whole}
		}
		switch {
		case !partial || slices.Contains(meant, ref):
		case !how.Freely:
			return nil, notWhole(ref, meant, there)
		case len(meant) == 1:
			out[i] = meant[0]
		case len(meant) > 1:
			return nil, problem.Invalid(problem.Say("give more of it"), "fax %s: several ids begin so: %s", ref, Offer(meant, itself))
		}
	}
	return out, nil
}

// lookUp notes for each beginning the ids that it may mean.
func lookUp(begun map[string][]string, ids iter.Seq2[string, error]) error {
	return seq.Each(ids, func(id string) {
		for ref, meant := range begun {
			if Begins(id, ref) && len(meant) < 10 && !slices.Contains(meant, id) { // a few tell that it is several
				begun[ref] = append(meant, id)
			}
		}
	})
}

func itself(id string) string { return id }

// notWhole refuses an id that is none, and offers those that were likely meant.
func notWhole(ref string, meant []string, there problem.Invocation) error {
	err := fmt.Errorf("fax %s: %w: it is no whole id", ref, problem.ErrNotFound)
	switch {
	case strings.Trim(ref, text.Digits+text.Lower+text.Upper+"-_") != "":
		err = fmt.Errorf("%w fax id %q", problem.ErrInvalid, ref)
	case len(meant) > 0:
		return problem.With(err, problem.Say("did you mean %s?", problem.Text(Offer(meant, itself))))
	}
	return problem.With(err, problem.Say("whole ids: %s", there.Set("o", "id")))
}

// canonical is ref as providers write ids when it is one in another case, or "".
func canonical(ref string) string {
	id := strings.ToLower(ref)
	if digits, sid := strings.CutPrefix(id, "fx"); sid {
		id = "FX" + digits
	}
	if !fax.PlausibleID(id) {
		return ""
	}
	return id
}

// mayBegin reports whether an id may begin so: the longest have 36 characters.
func mayBegin(ref string) bool {
	return len(ref) >= ShortestBeginning && len(ref) <= 36 && text.MadeOf(ref, text.Digits+text.Lower+text.Upper+"-")
}
