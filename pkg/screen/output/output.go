// Package output prints records in the format a person or a script asks for,
// from one description of their type.
//
// Use it for everything that goes to standard output. Describe a type once, as
// a [Type]: its columns, its id, its raw form. [New] makes a [Printer] of it, with
// the [Format] that [Parse] read from the -o flag, and finds there whatever is wrong
// with what was asked for. Hand that a sequence of such values, or a single one:
//
//	table     on a terminal drawn and fitted, in a pipe as tsv (the default)
//	wide      the same with every column, however long the lines get
//	json      one array, printed when the last item has arrived
//	jsonl     one JSON object a line
//	yaml      a YAML list
//	csv, tsv  with a header; csv=phone,id names the columns
//	id        one id a line
//	jq=EXPR   what the jq expression makes of the JSON array
//	template=TEXT  a Go template for each item, with the names of the JSON
//
// All but a drawn table, json and jq print an item as soon as it is there, or a
// few milliseconds later together with those that come in the same moment, and
// keep none. JSON and YAML show the values themselves, so their field tags are
// the contract; columns serve the other formats.
//
// Text from outside is made harmless on the way: see package text. In JSON it
// is escaped, so nothing is lost.
package output

import (
	"encoding/json"
	"time"

	"github.com/go-faster/jx"
)

// Type describes what there is to show of a T.
type Type[T any] struct {
	// Columns in the order they are shown, which is a contract with scripts. The first
	// ones matter most: when a terminal is too narrow for all, the last column goes
	// first.
	Columns []Column[T]

	// Drawn are the columns of a list on a terminal that nobody asked for otherwise,
	// in their order: what a person looks for first. Those of a name that Columns has
	// too are known to --columns as that. Empty: Columns.
	Drawn []Column[T]

	// ID names a value to other commands; -o id prints it.
	ID func(T) string

	// Raw is the value as the provider sent it, for [Options.Raw]. It may
	// be nil for types that come from no provider.
	Raw func(T) json.RawMessage

	// Form is the format of a type that has no columns when none was asked for;
	// empty: the table.
	Form string

	// JSON writes the value as encoding/json would, for types of which there
	// are hundreds of thousands: it takes a third of the time. Nil: encoding/json
	// does it.
	JSON func(*jx.Encoder, T)
}

// Column is one fact about a T.
type Column[T any] struct {
	Name  string // lower case, as in -o csv=phone,id and --columns
	Title string // the head of a drawn table; empty: the name in capitals

	// Value is the fact for a machine: times in RFC 3339, plain decimals.
	Value func(T) string

	// Show is the fact for a person at a terminal: "3 h ago". Empty: Value.
	Show func(T, Human) string

	// Short is what is shown in place of Show where there is no room for all
	// columns, and ShortTitle the head above it: "3h" under AGE. Nil: there is no
	// shorter way to say it.
	Short      func(T, Human) string
	ShortTitle string

	// Style says what the value means: good, bad, of no weight. Empty: None.
	Style func(T) Style

	Wide  bool // shown only by -o wide, in a single record, or by its name
	Right bool // aligned to the right in a drawn table
	Whole bool // never cut: half a phone number is worth nothing
	Wrap  bool // where there is no room for all of it, it goes on below
	Least int  // not narrower than this many cells; the columns after it go first
	Spare int  // where there is no room, the column with most of this goes first; of equal ones the last

	asked bool // somebody named it, and sees it
}

// Human is what [Column.Show] may know of the person who looks.
type Human struct {
	Now   time.Time
	Exact bool // there is a line for each fact: room for the whole of it
}

// Screen is what standard output is. The zero value is a pipe or a file.
type Screen struct {
	Terminal bool
	Width    int       // columns; 0: not known, nothing is cut
	Color    bool      // colors and bold type may be used
	Now      time.Time // that ages are counted from; the zero value is when they are printed
}

// Options is what the person asked for, and where it goes.
type Options struct {
	Format   Format // the zero value is the form of the type, mostly the table
	Source   string // where it was asked for, in errors; "" is --output
	Columns  string // a list of columns, or changes to it: see [Select]
	NoHeader bool
	Quiet    bool // an empty table in a pipe has no header either
	Raw      bool // json, jsonl, yaml and jq: what the provider sent, untouched
	Screen   Screen
}

// Shown tells what was printed, for the note below a list.
type Shown struct {
	Items   int
	Dropped []string // columns the terminal had no room for
}
