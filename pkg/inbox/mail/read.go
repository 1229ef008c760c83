package mail

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/fax"
)

const longestName = 100 // bytes of the name of a rule

// ReadRules reads a file of rules; file is its path, for messages. Everything wrong with
// it is reported at once, each problem with its line: the error is problem.ErrInvalid and
// holds a [*yamlfile.Error].
func ReadRules(content []byte, file string) (*Rules, error) {
	doc, err := yamlfile.Parse(file, content)
	if err != nil {
		return nil, problem.Of(problem.ErrInvalid, err)
	}
	r := reader{doc, map[string]int{}}
	rules := &Rules{MaxSize: DefaultMaxSize, file: file}
	at := doc.Fields(doc.Root(), "the file", []yamlfile.Field{
		{Key: "from", Filled: true, At: r.text("from", readFrom(&rules.From))},
		{Key: "max-size", Filled: true, At: r.text("max-size", readMaxSize(&rules.MaxSize))},
		{Key: "rules", Filled: true, At: func(n *yaml.Node) {
			doc.List(n, "rules", func(v *yaml.Node) { rules.Rules = append(rules.Rules, r.rule(v)) })
		}},
	})
	if at["from"] == nil {
		doc.Problem(doc.Root(), problem.Say("as in from: faxes@clinic.example"), "the file does not say who the mails are from")
	}
	if at["rules"] == nil || doc.Problems() == 0 && len(rules.Rules) == 0 {
		doc.Problem(doc.Root(), problem.Say("a rule says whom to tell, as in rules: [{mail: [desk@clinic.example]}]"), "the file has no rules")
	}
	if err := doc.Err(); err != nil {
		return nil, problem.Of(problem.ErrInvalid, err)
	}
	rules.name()
	return rules, nil
}

// reader reads the parts of a file.
type reader struct {
	*yamlfile.Document
	names map[string]int // of rules, and their lines
}

// text reads a value that is text, and notes what read has against it.
func (r reader) text(key string, read func(string) error) func(*yaml.Node) {
	return func(n *yaml.Node) {
		var s string
		before := r.Problems()
		r.Fields(&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: key, Line: n.Line}, n}},
			key, []yamlfile.Field{{Key: key, At: &s}})
		if r.Problems() > before {
			return
		}
		if err := read(s); err != nil {
			r.Problem(n, problem.AdviceOf(err), "%s: %v", key, err)
		}
	}
}

// several reads a value that is a text or a list of some.
func (r reader) several(key string, read func(string) error) func(*yaml.Node) {
	return func(n *yaml.Node) {
		list := n
		if n.Kind == yaml.AliasNode {
			list = n.Alias
		}
		if list.Kind != yaml.SequenceNode {
			r.text(key, read)(n)
			return
		}
		if len(list.Content) == 0 {
			r.Problem(n, problem.Say("say which, or leave "+key+" out"), "%s is empty", key)
		}
		for _, v := range list.Content {
			r.text(key, read)(v)
		}
	}
}

// rule reads a rule.
func (r reader) rule(n *yaml.Node) Rule {
	var rule Rule
	letter := &rule.Letter
	at := r.Fields(n, "a rule", []yamlfile.Field{
		{Key: "name", Filled: true, At: r.text("name", func(s string) error {
			rule.ID = s
			return r.unique(s, n.Line)
		})},
		{Key: "to", Filled: true, At: r.text("to", rule.readTo)},
		{Key: "from", Filled: true, At: r.text("from", func(s string) error {
			rule.From = strings.TrimSpace(s)
			return rule.ends.SelectEnd("from", s, fax.ParsePhone)
		})},
		{Key: "station", Filled: true, At: r.text("station", rule.readStation)},
		{Key: "when", Filled: true, At: r.several("when", rule.readWhen)},
		{Key: "mail", Filled: true, At: r.several("mail", rule.readMail)},
		{Key: "attach", At: &letter.Attach},
		{Key: "thumbnail", At: &letter.Thumbnail},
		{Key: "numbers", Filled: true, At: r.text("numbers", readNumbers(&letter.Full))},
		{Key: "subject", Filled: true, At: r.text("subject", func(s string) error { return letter.SetSubject(s) })},
		{Key: "body", Filled: true, At: r.text("body", func(s string) error { return letter.SetBody(s) })},
	})
	if at["mail"] == nil {
		r.Problem(n, problem.Say("as in mail: [desk@clinic.example]"), "the rule does not say whom to tell")
	}
	if station := at["station"]; station != nil && at["to"] == nil && at["from"] == nil {
		r.Problem(station, problem.Say("say to: or from: as well"), "station: what a caller calls itself is no proof, and chooses nobody alone")
	}
	if to := at["to"]; to != nil {
		rule.line = to.Line
	}
	if len(rule.When) == 0 {
		rule.When = []When{Received}
	}
	return rule
}

// unique refuses a name that another rule has, or that a mail cannot be told by.
func (r reader) unique(name string, line int) error {
	if text.Line(name) != name || len(name) > longestName {
		return problem.With(problem.ErrInvalid, problem.Say("a few words without control characters"))
	}
	if before := r.names[name]; before != 0 {
		return problem.Invalid(problem.Say("give each rule its own, or none"), "%s: a rule in line %d has it already", text.Quote(name), before)
	}
	r.names[name] = line
	return nil
}

// readTo reads one of our numbers: by number or pattern, or by the name that the account
// has for it.
func (r *Rule) readTo(s string) error {
	r.To = strings.TrimSpace(s)
	if strings.Trim(fax.WithoutMarks(r.To), text.Digits+"+*?[]^") != "" {
		r.ourName = r.To
		return nil
	}
	if strings.ContainsAny(r.To, "*?[") {
		return r.ends.SelectEnd("to", r.To, fax.ParsePhone)
	}
	var err error
	r.ends.To, err = fax.ParsePhone(r.To)
	return err
}

func (r *Rule) readStation(s string) error {
	r.Station = strings.TrimSpace(s)
	if _, err := path.Match(r.Station, ""); err != nil {
		return problem.Invalid(problem.Say("* stands for any characters and ? for one, as in ACME*"), "pattern %s", text.Quote(r.Station))
	}
	return nil
}

func (r *Rule) readWhen(s string) error {
	words := append(Whens(), "all")
	switch w := When(s); {
	case w == "all":
		r.When = Whens()
	case !slices.Contains(words, w):
		return problem.Invalid(problem.Say("received, failed, parked or all"), "word %s%s", text.Quote(s), yamlfile.Suggest(s, words))
	case !slices.Contains(r.When, w):
		r.When = append(r.When, w)
	}
	return nil
}

func (r *Rule) readMail(s string) error {
	address, err := ParseAddress(s)
	if err != nil {
		return err
	}
	if slices.Contains(r.Mail, address) {
		return problem.Invalid(problem.Say("leave one out"), "address %s: it is there twice", text.Quote(s))
	}
	r.Mail = append(r.Mail, address)
	return nil
}

func readFrom(to *string) func(string) error {
	return func(s string) error {
		from, err := ParseFrom(s)
		*to = from
		return err
	}
}

func readMaxSize(to *int64) func(string) error {
	return func(s string) error {
		size, err := ParseMaxSize(s)
		*to = size
		return err
	}
}

// ParseMaxSize reads how many bytes a whole message may have, from 64KiB to 100MiB.
// ErrInvalid: it is none of these.
func ParseMaxSize(s string) (int64, error) {
	size := text.ReadSize(s, mostSize)
	if size < leastSize {
		return 0, problem.Invalid(problem.Say("write it like 20MiB"), "size %s: it is none from %s to %s", text.Quote(s), text.Size(leastSize), text.Size(mostSize))
	}
	return size, nil
}

func readNumbers(full *bool) func(string) error {
	return func(s string) error {
		var err error
		*full, err = ParseNumbers(s)
		return err
	}
}

// ParseNumbers reads how numbers are shown: masked, or full. ErrInvalid: another word.
func ParseNumbers(s string) (full bool, err error) {
	if s != "full" && s != "masked" {
		return false, problem.Invalid(problem.Say("masked, which shows the last four digits, or full"), "word %s%s", text.Quote(s), yamlfile.Suggest(s, []string{"masked", "full"}))
	}
	return s == "full", nil
}
