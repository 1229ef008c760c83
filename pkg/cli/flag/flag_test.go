package flag_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/archive/retention"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/flag"
)

type way string

// values are those of a command with a flag of each kind.
type values struct {
	age, wait, drain, interval time.Duration
	limit                      prune.Limit
	way                        way
	n, jobs                    int
	size                       int64
	ages                       []time.Duration
	on                         bool
}

func command(v *values, begun *bool) *cobra.Command {
	*v = values{way: "in", wait: 10 * time.Second, jobs: 16, size: 64 << 20}
	c := &cobra.Command{Use: "prune", SilenceErrors: true, SilenceUsage: true, RunE: func(*cobra.Command, []string) error { *begun = true; return nil }}
	c.SetFlagErrorFunc(flag.Explain)
	c.SetOut(io.Discard)
	f := c.Flags()
	f.Var(flag.Of(&v.age, retention.ParseDeletionAge).Or("14d"), "older-than", "an `age`")
	f.Var(flag.Of(&v.limit, prune.ParseLimit), "max-delete", "a `share`")
	f.Var(flag.OneOf(&v.way, "in", "out"), "direction", "a `way`")
	f.Var(flag.Number(&v.n, 1), "limit", "`N`")
	f.Var(flag.Number(&v.jobs, 1).Hint(problem.Say("leave it out for 16")), "jobs", "`N`")
	f.Var(flag.Duration(&v.wait), "wait", "how long")
	f.Var(flag.SomeTime(&v.drain), "drain", "how long")
	f.Var(flag.LongerThan(&v.interval, time.Second), "interval", "how long")
	f.Var(flag.Size(&v.size), "max-document", "a `size`")
	f.Var(flag.Each(&v.ages, retention.ParseAge), "age", "an `age`; may be repeated")
	f.BoolVar(&v.on, "on", false, "or off")
	return c
}

// TestRefused: what is wrong with a flag ends the command before it begins, names the
// flag, and says what would be right.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		arg, says, advice string
	}{
		{"--older-than=x", `--older-than: invalid length of time "x"`, "write it like 90d, 24h, 2w, 6mo or 7y"},
		{"--older-than=6m", `--older-than: invalid length of time "6m": minutes and seconds are too short to delete by`, "write 6mo for six months; where faxes are deleted an age takes h, d, w, mo and y"},
		{"--max-delete=5%%", `--max-delete: invalid limit "5%%"`, "write it like 500 or 5%"},
		{"--direction=inn", `--direction: unknown value "inn"`, "did you mean in? It takes in or out"},
		{"--direction=sideways", `--direction: unknown value "sideways"`, "it takes in or out"},
		{"--limit=0", "--limit 0: it takes 1 or more", ""},
		{"--limit=many", `--limit: invalid number "many"`, "write it like 20"},
		{"--jobs=-1", "--jobs -1: it takes 1 or more", "leave it out for 16"},
		{"--wait=-1s", "--wait -1s: it takes 0s or more", ""},
		{"--wait=soon", `--wait: invalid duration "soon"`, "write it like 30s, 5m or 1h"},
		{"--drain=0", "--drain 0: it takes more than 0s", ""},
		{"--interval=10ms", "--interval 10ms: it takes 1s or more", ""},
		{"--max-document=2GiB", `--max-document: invalid size "2GiB"`, "write it like 64MiB, 20MB or 500000 (bytes), up to 1GiB"},
		{"--age=90x", `--age: invalid length of time "90x"`, "write it like 90d, 24h, 2w, 6mo or 7y"},
		{"--on=perhaps", `--on: invalid answer "perhaps"`, "write it like true or false"},
		{"--older-then=1d", "unknown flag: --older-then", "did you mean --older-than?"},
		{"-max-delete=5", "unknown shorthand flag: 'm' in -max-delete=5", "did you mean --max-delete?"},
		{"--nosuch", "unknown flag: --nosuch", "prune --help lists the flags"},
	} {
		var v values
		begun := false
		c := command(&v, &begun)
		c.SetArgs([]string{tt.arg})
		err := c.Execute()
		if begun || !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%s: %v; begun: %v", tt.arg, err, begun)
			continue
		}
		if got := err.Error(); got != tt.says {
			t.Errorf("%s: %s, want %s", tt.arg, got, tt.says)
		}
		if got := problem.AdviceOf(err).String(); got != tt.advice {
			t.Errorf("%s: advice %q, want %q", tt.arg, got, tt.advice)
		}
	}
}

func TestRead(t *testing.T) {
	var v values
	begun := false
	c := command(&v, &begun)
	c.SetArgs([]string{
		"--older-than=90d", "--max-delete=5%", "--direction=OUT", "--limit=3", "--wait=0", "--drain=1s", "--interval=1s",
		"--max-document=20MB", "--age=1d", "--age=2w",
	})
	if err := c.Execute(); err != nil || !begun {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	if v.age != 90*day || v.limit.String() != "5%" || v.way != "out" || v.n != 3 || v.wait != 0 || v.drain != time.Second ||
		v.interval != time.Second || v.size != 20e6 || !slices.Equal(v.ages, []time.Duration{day, 14 * day}) {
		t.Errorf("read %+v", v)
	}
}

// Defaults stand where no flag is given, and are shown as they would be typed; none
// is shown where there is none.
func TestDefaults(t *testing.T) {
	var v values
	c := command(&v, new(bool))
	for name, want := range map[string]string{
		"older-than": "14d", "max-delete": "", "direction": "in", "limit": "0", "jobs": "16", "wait": "10s", "drain": "0",
		"max-document": "64MiB", "age": "",
	} {
		if got := c.Flags().Lookup(name).DefValue; got != want {
			t.Errorf("--%s has the default %q, want %q", name, got, want)
		}
	}
	if v.age != 14*24*time.Hour || v.way != "in" || v.jobs != 16 || v.wait != 10*time.Second {
		t.Errorf("without flags: %+v", v)
	}
}

// A text of nothing is told by whoever knows whether it may be given.
func TestNothingIsNotRead(t *testing.T) {
	var v values
	c := command(&v, new(bool))
	c.SetArgs([]string{"--older-than=", "--age=", "--limit= "})
	if err := c.Execute(); err != nil || v.age != 14*24*time.Hour || len(v.ages) != 0 {
		t.Errorf("%v, %+v", err, v)
	}
	if f := c.Flags().Lookup("older-than"); f.Value.String() != "" || !f.Changed {
		t.Errorf("given is %q", f.Value)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"64MiB": 64 << 20, "64 mib": 64 << 20, "1GiB": 1 << 30, "2048KiB": 2 << 20, "20MB": 20e6,
		"500kb": 500e3, "1024": 1024, "1b": 1, "1073741824": 1 << 30,
		"0": 0, "-1MiB": 0, "1.5MiB": 0, "2GiB": 0, "9223372036854775807GiB": 0, "MiB": 0, "64M": 0, "lots": 0,
	} {
		var got int64
		if err := flag.Size(&got).Set(text); (err == nil) != (want != 0) || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for bytes, want := range map[int64]string{64 << 20: "64MiB", 1 << 30: "1GiB", 1024: "1KiB", 20e6: "20000000B", 1: "1B"} {
		if got := fmt.Sprint(flag.Size(&bytes)); got != want {
			t.Errorf("%d bytes are shown as %s, want %s", bytes, got, want)
		}
	}
}
