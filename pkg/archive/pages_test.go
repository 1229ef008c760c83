package archive

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// said compares advice by what it says.
var said = cmp.Transformer("said", problem.Advice.String)

const (
	// noPages is a whole PDF file with an empty page tree.
	noPages = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n" +
		"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000054 00000 n \ntrailer\n<</Size 3/Root 1 0 R>>\nstartxref\n100\n%%EOF\n"

	// uncounted is a whole PDF file that no reader understands.
	uncounted = "%PDF-1.4\nhello\nstartxref\n9\n%%EOF\n"
)

// TestVerifyPages: a copy with fewer pages than its record tells is a finding; one
// whose pages cannot be counted is told, also where the sidecar does not say why.
func TestVerifyPages(t *testing.T) {
	dir := t.TempDir()
	d, faxes := fill(t, 4)
	a := open(t, dir)
	none := faxes[0]
	none.Pages = nil
	d.docs[none.ID], d.docs[faxes[1].ID], d.docs[faxes[2].ID] = []byte(noPages), []byte(uncounted), []byte(uncounted)
	saveAll(t, a, d, append([]fax.Fax{none}, faxes[1:]...))
	save(t, a, d, faxes[0]) // now the record tells of pages
	old := filepath.Join(dir, "2026/11/23", faxes[2].ID+".json")
	sidecar, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	const why = "the PDF reader does not understand it"
	earlier := strings.Replace(string(sidecar), `"uncounted": "`+why+`"`, `"uncounted": ""`, 1)
	if earlier == string(sidecar) {
		t.Fatalf("the sidecar does not say why: %s", sidecar)
	}
	if err := os.WriteFile(old, []byte(earlier), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := a.Verify(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	at := func(f fax.Fax) string { return "2026/11/23/" + f.ID + ".pdf" }
	want := []Finding{{none.ID, at(none), Short, problem.Say("0 pages, and its record tells of 1")}}
	if diff := cmp.Diff(want, report.Findings, said); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	notes := []Note{
		{faxes[1].ID, at(faxes[1]), problem.Say("its pages could not be counted: " + why)},
		{faxes[2].ID, at(faxes[2]), problem.Say("its pages could not be counted: " + why)},
	}
	if diff := cmp.Diff(notes, report.Notes, said); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
