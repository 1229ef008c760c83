package cli_test

import (
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

// BenchmarkSpeedFormats lists 100,000 faxes as YAML and as JSON. The other side is a
// JSON object a line, which is the least that there is to do; what is compared is the
// time of computing. JSON is kept until all is there, and takes no more memory than it
// is long besides that of a list. What an expression reads is values, of which those that
// records have in common are there once.
func BenchmarkSpeedFormats(b *testing.B) {
	shipped(b)
	const faxes = 100_000
	c := newCloud(b, sandbox.Options{}, sandbox.SeedOptions{Faxes: faxes, Numbers: 20})
	list := func(format string) result {
		return c.run(b, nil, "faxctl", "faxes", "list", "--all", "-o", format)
	}
	var lines, yaml, json time.Duration
	var held, queried int64
	for b.Loop() {
		lines += list("jsonl").cpu
		yaml += list("yaml").cpu
		u := list("json")
		json, held = json+u.cpu, max(held, u.memory-int64(len(u.out)))
		queried = max(queried, list("jq=length").memory)
	}
	promise(b, megabytes(queried), "jq-MB", 200)
	promise(b, yaml.Seconds()/lines.Seconds(), "yaml-of-jsonl", 3)
	b.ReportMetric(json.Seconds()/lines.Seconds(), "json-of-jsonl")
	promise(b, megabytes(held), "json-MB-beyond-output", 70)
}
