package output

import (
	"context"
	"fmt"
	"io"
)

// printer prints items one after another.
type printer[T any] struct {
	item func(T) error

	// end prints what is left, and names the columns that found no room.
	end func() (dropped []string, err error)

	// whole: nothing may be printed unless everything arrived.
	whole bool
}

func newPrinter[T any](ctx context.Context, w io.Writer, t Type[T], opt Options, single bool) (printer[T], error) {
	name := opt.Format.String()
	if err := opt.check(t.Raw != nil, t.ID != nil); err != nil {
		return printer[T]{}, err
	}
	switch name {
	case "json":
		return jsonPrinter(w, t.encoder(opt.Raw), single), nil
	case "jsonl":
		return jsonlPrinter(w, t.encoder(opt.Raw)), nil
	case "yaml":
		return yamlPrinter(w, t.encoder(opt.Raw), single), nil
	case "jq":
		return queryPrinter(ctx, w, t.encoder(opt.Raw), opt.Format.query, single, opt.Screen.Terminal), nil
	case "template":
		return templatePrinter(w, t.encoder(false), opt.Format.template, opt.Screen.Terminal), nil
	case "id":
		return idPrinter(w, t.ID), nil
	}
	if _, err := Select(t.Columns, true, opt.Format.columns); opt.Format.columns != "" && err != nil {
		return printer[T]{}, fmt.Errorf("--output: %w", err)
	}
	cols, err := Select(t.Columns, name == "wide" || single && name == "table", opt.Format.columns, opt.Columns)
	switch {
	case err != nil:
		return printer[T]{}, fmt.Errorf("--columns: %w", err)
	case name == "csv":
		return linePrinter(w, cols, opt.NoHeader, appendCSV), nil
	case name == "tsv" || !opt.Screen.Terminal:
		return linePrinter(w, cols, opt.NoHeader, appendTSV), nil
	case single:
		return recordPrinter(w, cols, opt), nil
	}
	return tablePrinter(w, cols, opt), nil
}

// check refuses what the type cannot do, and flags that the format would have
// to ignore.
func (o Options) check(raw, id bool) error {
	name := o.Format.String()
	if name == "id" && !id {
		return &SpecError{"-o id: these have no id", "choose a column with -o tsv=… --no-header"}
	}
	switch name {
	case "json", "jsonl", "yaml", "jq":
		if o.Raw && !raw {
			return &SpecError{"--raw: this does not come from a provider", "leave --raw out"}
		}
	default:
		if o.Raw {
			return &SpecError{"--raw needs a JSON format, not " + name, "add -o json"}
		}
	}
	switch name {
	case "table", "wide", "csv", "tsv":
		return nil
	}
	if o.Columns != "" {
		return &SpecError{"--columns means nothing to -o " + name, "choose fields with -o 'jq=…', or leave --columns out"}
	}
	return nil
}

// nothing is the end of a printer that has nothing left to say.
func nothing() ([]string, error) { return nil, nil }
