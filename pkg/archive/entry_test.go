package archive

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/faxctl/faxctl/pkg/fax"
)

func TestKeyOf(t *testing.T) {
	for want, created := range map[string]time.Time{
		"2026/11/24/FX1": time.Date(2026, 11, 23, 23, 30, 0, 0, time.FixedZone("", -3600)),
		"undated/FX1":    {},
	} {
		if got := keyOf(fax.Fax{ID: "FX1", Created: created}); got != want {
			t.Errorf("%v is kept at %q, want %q", created, got, want)
		}
	}
	if got := keyOf(fax.Fax{ID: "FX1", Created: time.Date(123456, 1, 1, 0, 0, 0, 0, time.UTC)}); got != "undated/FX1" {
		t.Errorf("an odd date is kept at %q", got)
	}
}

func TestWhole(t *testing.T) {
	two, marked := 2, time.Unix(1_800_000_000, 0)
	received := fax.Fax{Status: fax.Received, Pages: &two, MediaID: "ME1"}
	nameless := fax.Fax{Status: fax.Received}
	for name, test := range map[string]struct {
		Entry
		want bool
	}{
		"kept":                                {Entry{Fax: received, Document: &Document{Pages: 2}}, true},
		"kept, and its pages are not counted": {Entry{Fax: received, Document: &Document{Uncounted: "encrypted"}}, true},
		"kept by an older version, uncounted": {Entry{Fax: received, Document: &Document{}}, true},
		"kept with a page too few":            {Entry{Fax: received, Document: &Document{Pages: 1}}, false},
		"not kept":                            {Entry{Fax: received}, false},
		"not kept, and marked all the same":   {Entry{Fax: received, MediaGone: marked, Gone: marked}, false},
		"nowhere, and marked":                 {Entry{Fax: nameless, MediaGone: marked}, true},
		"nowhere":                             {Entry{Fax: nameless}, false},
		"missing":                             {Entry{Fax: nameless, MediaGone: marked, DocumentMissing: true}, false},
		"failed":                              {Entry{Fax: fax.Fax{Status: fax.Failed}}, true},
		"in progress":                         {Entry{Fax: fax.Fax{Status: fax.Receiving}}, false},
	} {
		if got := test.Whole(); got != test.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	const name = "2026/11/23/FX1.json"
	sha := strings.Repeat("a", 64)
	good := `{"fax":{"id":"FX1"},"document":{"file":"FX1.pdf","sha256":"` + sha + `","size":1,"pages":1}}`
	if _, err := decode(name, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for what, data := range map[string]string{
		"no JSON":          `{`,
		"another fax":      `{"fax":{"id":"FX2"}}`,
		"no id":            `{"fax":{"id":""}}`,
		"a path":           `{"fax":{"id":"FX1"},"document":{"file":"../../etc/passwd","sha256":"` + sha + `"}}`,
		"another document": `{"fax":{"id":"FX1"},"document":{"file":"FX2.pdf","sha256":"` + sha + `"}}`,
		"no hash":          `{"fax":{"id":"FX1"},"document":{"file":"FX1.pdf","sha256":"x"}}`,
		"a negative size":  `{"fax":{"id":"FX1"},"document":{"file":"FX1.pdf","sha256":"` + sha + `","size":-1}}`,
	} {
		if e, err := decode(name, []byte(data)); err == nil {
			t.Errorf("%s: %+v", what, e)
		}
	}
	if _, err := decode("2026/11/23/FX1.pdf", []byte(good)); err == nil {
		t.Error("a sidecar under a document's name")
	}
}

func FuzzDecode(f *testing.F) {
	pages := 2
	e := Entry{Fax: fax.Fax{ID: "FX1", Pages: &pages, Created: time.Unix(1_800_000_000, 0).UTC()}, Record: []byte(`{"sid":"FX1"}`),
		Document: &Document{File: "FX1.tiff", SHA256: strings.Repeat("0", 64), Size: 10, Pages: 2, ContentType: "image/tiff"},
		Hold:     &Hold{Reason: "lawsuit"}}
	data, err := e.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"fax":{"id":"FX1","created":"0001-01-01T00:00:00Z"},"document":null,"hold":null}`))
	f.Add([]byte(`{"fax":{"id":"FX1"},"document":{"file":"FX1.pdf/../FX1.pdf"}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		const name = "2026/11/23/FX1.json"
		e, err := decode(name, data)
		if err != nil {
			return
		}
		if e.Fax.ID != "FX1" || e.Document != nil && path.Dir(documentName("2026/11/23/FX1", e.Document)) != "2026/11/23" {
			t.Fatalf("%+v", e)
		}
		again, err := e.encode()
		if err != nil {
			return // a year that JSON cannot write
		}
		back, err := decode(name, again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		back.Record, back.Fax.Raw, e.Record, e.Fax.Raw = nil, nil, nil, nil // indented
		if diff := cmp.Diff(e, back, cmpopts.IgnoreUnexported(Entry{})); diff != "" {
			t.Error(diff)
		}
	})
}
