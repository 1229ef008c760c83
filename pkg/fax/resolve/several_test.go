package resolve_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/fax/resolve"
)

// Many refs, by phone, id and name, are found in one list, and mean what each of
// them means alone; what the list does not have is asked for by itself.
func TestResolveAllListsOnce(t *testing.T) {
	m := &owned{}
	var refs []string
	for i := range 60 {
		n := fax.Number{ID: fmt.Sprintf("PN%032d", i), Phone: fmt.Sprintf("+1415555%04d", i), Name: fmt.Sprintf("desk %d", i), Mode: fax.ModeFax}
		m.numbers = append(m.numbers, n)
		refs = append(refs, []string{n.ID, n.Phone, n.Name}[i%3])
	}
	m.numbers[7].Name = "desk 8"                 // which names two
	m.numbers[9].Name = m.numbers[12].ID         // an id is an id, whoever has it for a name
	m.numbers = append(m.numbers, m.numbers[20]) // the list grew while it was read
	refs = append(refs, "+14155559999", "+1 (415) 555-0001")

	var all []resolve.Resolved
	for r := range resolve.Numbers(t.Context(), m, refs, resolve.Reading{}) {
		all = append(all, r)
	}
	if calls := slices.Clone(m.calls); len(calls) > 2 {
		t.Errorf("%d requests for %d refs: %s", len(calls), len(refs), strings.Join(calls, ", "))
	}
	if len(all) != len(refs) {
		t.Fatalf("%d refs became %d numbers", len(refs), len(all))
	}
	m.numbers = m.numbers[:60]
	for i, ref := range refs {
		alone, err := resolve.Number(t.Context(), m, ref, resolve.Reading{})
		if r := all[i]; r.Ref != ref || r.Number.ID != alone.ID || r.Number.Mode != alone.Mode || fmt.Sprint(r.Err) != fmt.Sprint(err) {
			t.Errorf("%s is %s, %v; alone it is %s, %v", ref, r.Number.ID, r.Err, alone.ID, err)
		}
	}
}

// A few refs cost what they cost alone, and no list.
func TestResolveAllOfAFew(t *testing.T) {
	m := &owned{numbers: []fax.Number{{ID: "one", Phone: "+14155550100"}, {ID: "two", Phone: "+14155550101"}}}
	var ids []string
	for r := range resolve.Numbers(t.Context(), m, []string{"+14155550101", "+14155550100"}, resolve.Reading{}) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		ids = append(ids, r.Number.ID)
	}
	if !slices.Equal(ids, []string{"two", "one"}) || slices.Contains(m.calls, "list ") {
		t.Errorf("found %q with %q", ids, m.calls)
	}
}
