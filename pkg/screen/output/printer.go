package output

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Printer prints values of one type as somebody asked for it. [New] makes it.
type Printer[T any] struct {
	t    Type[T]
	opt  Options
	list []Column[T] // of a sequence
	one  []Column[T] // of a single value
}

// New makes a printer, or says with problem.ErrInvalid what cannot be met: columns that
// the type does not have, a template that names a field it does not have, flags
// that mean nothing to the format. What a printer does later fails for the values,
// the writer or the sequence alone.
func New[T any](t Type[T], opt Options) (Printer[T], error) {
	if opt.Format.name == "" {
		opt.Format.name = cmp.Or(t.Form, "table")
	}
	p := Printer[T]{t: t, opt: opt}
	name := opt.Format.name
	if err := opt.check(t.Raw != nil, t.ID != nil, len(t.Columns) > 0); err != nil {
		return p, err
	}
	if name == "template" {
		return p, opt.asked(checkFields[T](opt.Format.template))
	}
	if !tabular(name) {
		return p, nil
	}
	all, list := t.named(), usual(t.Columns, name == "wide")
	if name == "table" && opt.Screen.Terminal && len(t.Drawn) > 0 {
		list = t.Drawn
	}
	if _, err := Select(all, t.Columns, opt.Format.columns); opt.Format.columns != "" && err != nil {
		return p, opt.asked(err)
	}
	var err error
	if p.list, err = Select(all, list, opt.Format.columns, opt.Columns); err != nil {
		return p, fmt.Errorf("%s: %w", problem.Field("columns"), err)
	}
	p.one, err = Select(all, usual(t.Columns, name == "wide" || name == "table"), opt.Format.columns, opt.Columns)
	return p, err
}

// Lists reports whether a column of that name is printed of a sequence.
func (p Printer[T]) Lists(column string) bool {
	return slices.ContainsFunc(p.list, func(c Column[T]) bool { return c.Name == column })
}

// WithoutHeader is the printer of what comes below something that has a header.
func (p Printer[T]) WithoutHeader() Printer[T] {
	p.opt.NoHeader = true
	return p
}

// Print writes the values of seq to w. It ends with the sequence, at the
// sequence's error, or when ctx ends a jq expression that does not.
//
// Items printed before an error stay printed, except with json and jq, which
// print nothing unless the whole sequence arrived. An error of w is returned
// as it came, except that a reader who went away is [ErrClosed]; what an
// expression or a template cannot do with the values is problem.ErrInvalid.
func (p Printer[T]) Print(ctx context.Context, w io.Writer, seq iter.Seq2[T, error]) (shown Shown, err error) {
	out := &pipe{w: w}
	defer func() { err = closed(out, err) }()
	print := p.on(ctx, out, false)
	for v, err := range seq {
		if err != nil {
			if !print.whole && shown.Items > 0 {
				_, werr := print.end()
				err = errors.Join(err, werr)
			}
			return shown, err
		}
		if err := print.item(v); err != nil {
			return shown, err
		}
		shown.Items++
	}
	shown.Dropped, err = print.end()
	return shown, err
}

// One writes a single value: json, yaml and jq see an object and not an array,
// and a drawn table is a list of fields. Errors are those of [Printer.Print].
func (p Printer[T]) One(ctx context.Context, w io.Writer, v T) (err error) {
	out := &pipe{w: w}
	defer func() { err = closed(out, err) }()
	print := p.on(ctx, out, true)
	if err := print.item(v); err != nil {
		return err
	}
	_, err = print.end()
	return err
}

// closed closes the output; its error is not told twice.
func closed(out io.Closer, err error) error {
	if failed := out.Close(); !errors.Is(err, failed) {
		err = errors.Join(err, failed)
	}
	return err
}

// printer prints items one after another.
type printer[T any] struct {
	item func(T) error

	// end prints what is left, and names the columns that found no room.
	end func() (dropped []string, err error)

	// whole: nothing may be printed unless everything arrived.
	whole bool
}

// on is the printer for one sequence, or a single value.
func (p Printer[T]) on(ctx context.Context, w io.Writer, single bool) printer[T] {
	t, opt := p.t, p.opt
	if opt.Screen.Now.IsZero() {
		opt.Screen.Now = time.Now()
	}
	cols := p.list
	if single {
		cols = p.one
	}
	switch opt.Format.name {
	case "json":
		return jsonPrinter(w, t.encoder(opt.Raw), single)
	case "jsonl":
		return jsonlPrinter(w, t.encoder(opt.Raw))
	case "yaml":
		return yamlPrinter(w, t.encoder(opt.Raw), single)
	case "jq":
		return queryPrinter(ctx, w, t.encoder(opt.Raw), opt.Format.query, single, opt.Screen.Terminal)
	case "template":
		return templatePrinter(w, t.encoder(false), opt.Format.template, opt.Screen.Terminal)
	case "id":
		return idPrinter(w, t.ID)
	case "csv":
		return linePrinter(w, cols, opt.NoHeader, false, appendCSV)
	}
	switch {
	case opt.Format.name == "tsv" || !opt.Screen.Terminal:
		return linePrinter(w, cols, opt.NoHeader, opt.Quiet && opt.Format.name != "tsv", appendTSV)
	case single:
		return recordPrinter(w, cols, opt)
	}
	return tablePrinter(w, cols, opt)
}

// tabular: the format shows columns.
func tabular(name string) bool {
	return name == "table" || name == "wide" || name == "csv" || name == "tsv"
}

// check refuses what the type cannot do, and flags that the format would have
// to ignore.
func (o Options) check(raw, id, columns bool) error {
	name := o.Format.name
	switch {
	case o.Raw && !raw:
		return mistake(problem.Say("%s: this does not come from a provider", problem.Field("raw")).String(), problem.Say("leave %s out", problem.Field("raw")))
	case tabular(name) && !columns:
		return mistake("-o "+name+": this has no columns", problem.Say("write it as json or yaml, or choose with jq= or template="))
	case name == "id" && !id:
		return mistake("-o id: these have no id", problem.Say("choose a column with -o tsv=… %s", problem.Field("no-header")))
	}
	if o.Raw && !slices.Contains([]string{"json", "jsonl", "yaml", "jq"}, name) {
		return mistake(problem.Say("%s needs a JSON format, not "+name, problem.Field("raw")).String(), problem.Say("add -o json"))
	}
	if o.Columns != "" && !tabular(name) {
		return mistake(problem.Say("%s means nothing to -o "+name, problem.Field("columns")).String(), problem.Say("choose fields with -o 'jq=…', or leave %s out", problem.Field("columns")))
	}
	return nil
}

// asked says where the format was asked for that err is about.
func (o Options) asked(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", cmp.Or(o.Source, problem.Field("output").String()), err)
}

// nothing is the end of a printer that has nothing left to say.
func nothing() ([]string, error) { return nil, nil }
