package plan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/numbers/plan"
)

// numbersSchema is the schema that ships with the docs.
func numbersSchema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "numbers.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// instance is a file as a validator of JSON sees it.
func instance(t *testing.T, text string) (v any) {
	t.Helper()
	err := yaml.Unmarshal([]byte(text), &v)
	if err == nil {
		var b []byte
		if b, err = json.Marshal(v); err == nil {
			v = nil
			err = json.Unmarshal(b, &v)
		}
	}
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

// The schema and the reader agree: an editor underlines what faxctl refuses,
// and nothing else. What no schema can say, the reader alone refuses.
func TestSchemaAgrees(t *testing.T) {
	const (
		good   = "good"
		bad    = "bad"
		beyond = "beyond the schema"
	)
	entry := func(keys string) string { return "numbers: [{number: '+14155550123', " + keys + "}]" }
	buy := func(keys string) string { return "numbers: [{name: front desk, buy: {" + keys + "}}]" }
	long := strings.Repeat("x", 64)
	schema := numbersSchema(t)
	for _, c := range []struct{ verdict, text string }{
		{good, asInTheDocs},
		{good, ""}, {good, "# soon"}, {good, "numbers:"}, {good, "numbers: []"}, {good, "defaults:"}, {good, "{}"},
		{bad, "[]"}, {bad, "numbers: {}"}, {bad, "numbers: x"}, {bad, "defaults: []"}, {bad, "number: []"},
		{bad, "numbers: [~]"}, {bad, "numbers: [{}]"}, {bad, "numbers: ['+14155550123']"},

		{good, "prune: false"}, {bad, "prune: true"}, {bad, "prune: true\nnumbers: []"}, {bad, "prune: true\nnumbers:"},
		{good, "prune: true\n" + entry("")}, {bad, "prune: yes\n" + entry("")}, {bad, "prune: 'true'\n" + entry("")},
		{bad, "prune:\n" + entry("")}, {bad, "prune: 1\n" + entry("")},

		{good, "numbers: [{number: +14155550123}]"}, {good, "numbers: [{number: '+1 (415) 555-0123'}]"}, {good, "numbers: [{number: '+49 30/901820'}]"},
		{bad, "numbers: [{number: '14155550123'}]"}, {bad, "numbers: [{number: '+0415555012'}]"}, {bad, "numbers: [{number: '+1415'}]"},
		{bad, "numbers: [{number: ''}]"}, {bad, "numbers: [{number: }]"}, {bad, "numbers: [{number: [1]}]"}, {bad, "numbers: [{number: 415}]"}, {bad, "numbers: [{number: '+1 415 555 012x'}]"},
		{bad, "numbers: [{number: '+1234567890123456'}]"}, {bad, "numbers: [{number: true}]"},
		{beyond, "numbers: [{number: 14155550123}]"}, // without its plus sign, which an integer does not have
		{bad, "numbers: [{number: '+14155550123', buy: {}, name: x}]"}, {bad, entry("zzz: 1")},
		{beyond, "numbers: [{number: '+14155550123'}, {number: '+14155550123'}]"},

		{good, buy("")}, {bad, "numbers: [{name: x, buy: }]"}, {bad, "numbers: [{name: x, buy: []}]"}, {bad, "numbers: [{name: x, buy: 415}]"},
		{bad, "numbers: [{buy: {}}]"}, {bad, "numbers: [{buy: {}, name: ''}]"}, {bad, "numbers: [{buy: {}, name: }]"},
		{bad, "numbers: [{buy: {}, name: ' front'}]"}, {bad, "numbers: [{buy: {}, name: 'front '}]"}, {bad, "numbers: [{buy: {}, name: ' '}]"},
		{bad, "numbers: [{buy: {}, name: \"front\\u00a0\"}]"}, {good, "numbers: [{buy: {}, name: x}]"}, {good, "numbers: [{buy: {}, name: 415}]"},
		{beyond, "numbers: [{buy: {}, name: x}, {buy: {}, name: x}]"},
		{good, buy("country: US")}, {good, buy("country: ca")}, {good, buy("country: NO")}, {good, buy("country: ' us '")},
		{bad, buy("country: USA")}, {bad, buy("country: ''")}, {bad, buy("country: ")}, {bad, buy("country: 49")}, {bad, buy("country: true")},
		{good, buy("type: toll-free")}, {bad, buy("type: tollfree")}, {bad, buy("type: Local")}, {bad, buy("type: ''")}, {bad, buy("type: [local]")},
		{good, buy("area-code: 415")}, {good, buy("area-code: '415'")}, {good, buy("area-code: 416, country: CA")},
		{bad, buy("area-code: 41")}, {bad, buy("area-code: 115")}, {bad, buy("area-code: '4155'")}, {bad, buy("area-code: ")}, {bad, buy("area-code: ''")}, {bad, buy("area-code: 4.5")},
		{bad, buy("area-code: 415, country: DE")}, {bad, buy("region: BY, country: DE")}, {good, buy("region: CA")}, {bad, buy("region: ''")}, {bad, buy("region: true")}, {good, buy("locality: Berlin, country: DE")}, {bad, buy("locality: ")},
		{good, buy("contains: '*fax'")}, {good, buy("contains: '+1415$'")}, {good, buy("contains: 555")}, {good, buy("contains: ' 55 '")},
		{bad, buy("contains: '5'")}, {bad, buy("contains: 5")}, {bad, buy("contains: '5 5'")}, {bad, buy("contains: '#55'")}, {bad, buy("contains: '12345678901234567'")}, {bad, buy("contains: ''")},
		{good, buy("max-price: 2.00")}, {good, buy("max-price: 2")}, {good, buy("max-price: 2.00 USD")}, {good, buy("max-price: '1.15 eur'")},
		{bad, buy("max-price: cheap")}, {bad, buy("max-price: '2,00'")}, {bad, buy("max-price: ''")}, {bad, buy("max-price: ")}, {bad, buy("max-price: 2.00USD")}, {bad, buy("max-price: '1e3'")}, {bad, buy("max-price: .5 USD")},
		{beyond, buy("max-price: 1e3")}, // a number like any other to a validator
		{good, buy("address-sid: AD1, bundle-sid: BU1")}, {bad, buy("address-sid: ''")}, {bad, buy("bundle-sid: ")}, {bad, buy("citi: x")}, {good, buy("no-address-required: any, beta: false")}, {bad, buy("no-address-required: all")}, {bad, buy("no-address-required: ")}, {bad, buy("beta: maybe")}, {bad, buy("beta: ")}, {good, buy("allow-unsure-fax: true")}, {bad, buy("allow-unsure-fax: maybe")},

		{good, entry("name: front desk")}, {good, entry("name: ''")}, {bad, entry("name: ' front'")}, {good, entry("name: " + long)}, {beyond, entry("name: " + strings.Repeat("é", 33))}, {good, entry("name: 2024")}, {good, entry("name: no")},
		{bad, entry("name: " + long + "x")}, {bad, entry("name: ")}, {bad, entry("name: \"a\\nb\"")}, {bad, entry("name: \"a\\u0085b\"")}, {bad, entry("name: [a]")}, {bad, entry("name: true")},
		{good, entry("mode: fax")}, {good, entry("mode: voice")}, {bad, entry("mode: FAX")}, {bad, entry("mode: unknown")}, {bad, entry("mode: ")}, {bad, entry("mode: ''")},
		{good, entry("fax-method: POST")}, {good, entry("fax-method: get, fax-url: 'https://x.example'")}, {bad, entry("fax-method: PUT")}, {bad, entry("fax-method: ''")}, {bad, entry("fallback-method: ")},
		{bad, entry("fax-method: POST, fax-url: ''")}, {bad, entry("fallback-method: POST, fallback-url: ''")}, {good, entry("fallback-method: POST, fallback-url: 'https://x.example/b'")},
		{bad, entry("mode: voice, fax-url: 'https://x.example'")}, {bad, entry("mode: voice, fax-method: GET")}, {good, entry("mode: voice, fax-url: ''")}, {good, entry("mode: voice, fallback-url: 'https://x.example'")},
		{good, entry("force: true, keep-routing: false")}, {bad, entry("force: 'true'")}, {bad, entry("keep-routing: on")}, {bad, entry("allow-http: ")},

		{good, entry("fax-url: ''")}, {good, entry("fax-url: 'HTTPS://x.example:8443/a%20b?c=%zz'")}, {good, entry("fax-url: 'https://x.example/a@b:c'")}, {good, entry("fax-url: 'https://x.example?q'")},
		{good, entry("fax-url: 'https://8.8.8.8/in'")}, {good, entry("fax-url: 'https://[2001:db8::1]/in'")}, {good, entry("fax-url: 'https://localhost.example/in'")},
		{bad, entry("fax-url: ")}, {bad, entry("fax-url: x.example")}, {bad, entry("fax-url: //x.example")}, {bad, entry("fax-url: 'ftp://x.example'")}, {bad, entry("fax-url: 'https://'")}, {bad, entry("fax-url: 'https://:443/'")},
		{bad, entry("fax-url: 'https://a:b@x.example/'")}, {bad, entry("fax-url: 'https://x.example/#top'")}, {bad, entry("fax-url: 'https://x.example/a b'")}, {bad, entry("fax-url: 'https://x.example/%zz'")}, {bad, entry("fax-url: 'https://x.example:http/'")},
		{bad, entry("status-callback: x")}, {bad, entry("fallback-url: 5")}, {bad, entry("fax-url: true")},
		{bad, entry("fax-url: 'http://x.example'")}, {good, entry("fax-url: 'http://x.example', allow-http: true")}, {bad, entry("fax-url: 'http://x.example', allow-http: false")},
		{bad, entry("status-callback: 'https://localhost/in'")}, {bad, entry("fax-url: 'https://fax.LOCALHOST./'")}, {bad, entry("fax-url: 'https://10.1.2.3:8443/'")}, {bad, entry("fax-url: 'https://172.16.0.1'")}, {bad, entry("fax-url: 'https://[::1]/'")},
		{good, entry("fax-url: 'https://172.32.0.1'")}, {good, entry("fax-url: 'http://localhost:8080/', allow-http: true")},
		{beyond, entry("fax-url: 'https://[fd00::1]/'")},

		{good, "defaults: {mode: fax, fax-url: 'https://x.example', force: true}"}, {bad, "defaults: {name: x}"}, {bad, "defaults: {fax-url: x}"}, {bad, "defaults: {mode: faks}"}, {bad, "defaults: {fax-method: }"},
		{good, "defaults: {allow-http: true}\n" + entry("fax-url: 'http://x.example'")}, {bad, "defaults: {allow-http: true}\n" + entry("fax-url: 'http://x.example', allow-http: false")},
		{bad, "defaults: {allow-http: false}\n" + entry("fax-url: 'http://x.example'")}, {bad, "defaults:\n" + entry("fax-url: 'http://x.example'")},
		{good, "defaults: {fax-url: 'http://x.example'}"}, // nobody takes it
		{beyond, "defaults: {fax-url: 'http://x.example'}\n" + entry("mode: fax")},
		{beyond, "defaults: {mode: voice, fax-url: 'https://x.example'}\n" + entry("name: x")},
		{beyond, "defaults: {allow-http: true}\n" + entry("mode: voice, fallback-url: 'http://x.example'")},
	} {
		_, read := plan.ReadFile("n.yaml", []byte(c.text))
		checked := schema.Validate(instance(t, c.text))
		if (read == nil) != (c.verdict == good) {
			t.Errorf("%q is %s, and the reader says: %v", c.text, c.verdict, read)
		}
		if (checked == nil) != (c.verdict != bad) {
			t.Errorf("%q is %s, and the schema says: %v", c.text, c.verdict, short(checked))
		}
	}
}

// short is the end of an error, where its reason is.
func short(err error) string {
	s := fmt.Sprint(err)
	return s[max(len(s)-200, 0):]
}
