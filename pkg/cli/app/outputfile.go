package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// OutputFile is the one file that a command writes when it is told to: whole, for its
// owner alone, and in place of another only with --force.
type OutputFile struct {
	Path  string // "-": standard output; "": none
	Force bool
	flag  string // as it is written: "-O"
}

// Bind declares the flag that names the file, and --force. No shorthand is "".
func (o *OutputFile) Bind(cmd *cobra.Command, name, shorthand, usage string) {
	o.flag = "--" + name
	if shorthand != "" {
		o.flag = "-" + shorthand
	}
	cmd.Flags().StringVarP(&o.Path, name, shorthand, "", usage)
	cmd.Flags().BoolVar(&o.Force, "force", false, "write over the file of "+o.flag+" when it is there")
	Must(cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)))
}

// Check keeps what is written away from terminals, which would obey a document, from
// archives, and from what is there: a folder or /dev/stdout would be replaced by a file.
func (o *OutputFile) Check(a *App) error {
	switch {
	case o.Path == "" && o.Force:
		return Misuse("--force is for %s", o.flag)
	case o.Path == "":
		return nil
	case o.Path == "-" && a.Term.Out.Terminal:
		return problem.With(Misuse("%s - would write a document to the terminal", o.flag), problem.Say("name a file, or pipe it into a program"))
	case o.Path == "-":
		return nil
	}
	if info, err := os.Stat(o.Path); err == nil && !info.Mode().IsRegular() {
		what := "no file"
		if info.IsDir() {
			what = "a folder"
		}
		return problem.With(Misuse("%s %s: it is there, and is %s", o.flag, o.Path, what), problem.Say("name a file; - is standard output"))
	}
	if err := archive.Outside(o.Path); err != nil {
		return fmt.Errorf("%s: %w", o.flag, err)
	}
	if o.Force {
		return nil
	}
	if taken := durable.Unused(o.Path); errors.Is(taken, fs.ErrExist) {
		return o.Taken(taken)
	}
	return nil // what else is wrong with the name is said by whoever writes
}

// Taken says what to do about an error that is fs.ErrExist: another file has the name.
// Other errors stay as they are.
func (o *OutputFile) Taken(err error) error {
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return problem.With(fmt.Errorf("%w: %s %s: it is there already, and stays as it is", problem.ErrConflict, o.flag, text.Line(o.Path)),
		problem.Say("name another file; %s writes over this one", problem.Field("force")))
}

// Write writes the file.
func (o *OutputFile) Write(content []byte) error {
	if o.Force {
		return durable.WriteFile(durable.OS{}, o.Path, content)
	}
	return o.Taken(durable.WriteNewFile(durable.OS{}, o.Path, content))
}
