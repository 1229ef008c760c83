package problem

import (
	"fmt"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// Advice is a sentence about what to do next. The zero Advice says nothing.
type Advice struct {
	words string // with a %s for each part
	parts []Part
}

// Say is the advice that words tell, where each %s stands for a part. Words
// without parts are taken as they are.
func Say(words string, parts ...Part) Advice {
	return Advice{words, parts}
}

// Empty reports whether there is nothing to say.
func (a Advice) Empty() bool { return a.words == "" }

// Then is a, and after it b: two ways out, or two steps.
func (a Advice) Then(b Advice) Advice {
	if a.Empty() {
		return b
	}
	if b.Empty() {
		return a
	}
	return Say("%s; %s", a, b)
}

// String is the advice as a command line says it: see [Shell].
func (a Advice) String() string { return a.In(Shell{}) }

// MarshalText is the advice as [Advice.String] has it.
func (a Advice) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// IsZero reports whether there is nothing to say, for omitzero in JSON.
func (a Advice) IsZero() bool { return a.Empty() }

// In is the advice as one command line says it.
func (a Advice) In(s Shell) string {
	if len(a.parts) == 0 {
		return a.words
	}
	said := make([]any, len(a.parts))
	for i, p := range a.parts {
		said[i] = p.say(s)
	}
	return fmt.Sprintf(a.words, said...)
}

func (a Advice) say(s Shell) string { return a.In(s) }

// Keys is the advice for somebody who writes a file: a setting is a key, as in
// "fax-url: URL". A command stays one.
func (a Advice) Keys() Advice {
	parts := make([]Part, len(a.parts))
	for i, p := range a.parts {
		switch p := p.(type) {
		case Word:
			parts[i] = Text(p.key())
		case Advice:
			parts[i] = p.Keys()
		default:
			parts[i] = p
		}
	}
	return Advice{a.words, parts}
}

// Part is what a sentence of advice is made of besides words: a [Field], a
// [Command], a [Text] or another piece of [Advice].
type Part interface{ say(s Shell) string }

// Text is a part from outside the sentence, such as a phone number. It is shown
// as it is, and a percent sign in it is one.
type Text string

func (t Text) say(Shell) string { return string(t) }

// Field is a setting by the name it has as a flag, without dashes. With a value
// it is the setting that is meant: Field("country", "US").
func Field(name string, value ...string) Word {
	return Word{Flag: name, Value: strings.Join(value, "")}
}

// On is a setting that is on or off, to be on.
func On(name string) Word { return Word{Flag: name, Switch: true} }

// Invocation is a command to run. Its methods return a longer one.
type Invocation struct {
	Path  []string // "numbers", "configure"
	Words []Word   // what follows, in order
}

// Word is a setting, or an argument of a command.
type Word struct {
	Flag   string // its name, without dashes; "" for an argument
	Value  string // not quoted
	Switch bool   // on or off, and on
}

func (w Word) say(Shell) string { return w.String() }

// String is the setting as a command line has it.
func (w Word) String() string {
	if w.Value == "" {
		return flag(w.Flag)
	}
	return flag(w.Flag) + " " + text.ShellWord(w.Value)
}

// key is the setting as a line of a file.
func (w Word) key() string {
	if w.Switch {
		return w.Flag + ": true"
	}
	if w.Value != "" {
		return w.Flag + ": " + w.Value
	}
	return w.Flag
}

// Command is a command by its path: Command("numbers", "list").
func Command(path ...string) Invocation { return Invocation{Path: path} }

// Arg adds an argument.
func (c Invocation) Arg(value string) Invocation { return c.with(Word{Value: value}) }

// Set adds a flag and its value.
func (c Invocation) Set(flag, value string) Invocation { return c.with(Word{Flag: flag, Value: value}) }

// Switch adds a flag that takes no value.
func (c Invocation) Switch(flag string) Invocation { return c.with(Word{Flag: flag, Switch: true}) }

func (c Invocation) with(w Word) Invocation {
	c.Words = append(c.Words[:len(c.Words):len(c.Words)], w)
	return c
}

// String is the command as a shell takes it.
func (c Invocation) String() string { return c.say(Shell{}) }

// say names the account where that makes a difference, and the places that the command
// would look for elsewhere.
func (c Invocation) say(s Shell) string {
	line := []string{"faxctl"}
	if c.ofAccount() {
		line = appendWords(line, s.Account)
	}
	line = appendWords(append(line, c.Path...), c.Words)
	if s.Places != nil {
		line = appendWords(line, s.Places(c))
	}
	return strings.Join(line, " ")
}

// ofAccount reports whether c goes by an account or the defaults of its profile, and does
// not say by which.
func (c Invocation) ofAccount() bool {
	return !c.Sets("profile") && !slices.Contains([]string{"profile", "sandbox", "version"}, c.Path[0])
}

// Sets reports whether c says something of one of these flags.
func (c Invocation) Sets(flags ...string) bool {
	return slices.ContainsFunc(c.Words, func(w Word) bool { return slices.Contains(flags, w.Flag) })
}

// Shell is a command line: what is said in it has --fax-url for a setting, and
// commands to be copied. Logs speak like one without an account.
type Shell struct {
	Account []Word                    // flags that say which account a command is about
	Places  func(c Invocation) []Word // flags that say where c finds what it is about; nil: none
}

func appendWords(line []string, words []Word) []string {
	for _, w := range words {
		if w.Flag != "" {
			line = append(line, flag(w.Flag))
		}
		if !w.Switch {
			line = append(line, text.ShellWord(w.Value))
		}
	}
	return line
}

// flag is a flag as it is typed; one letter has one dash.
func flag(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}
