package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
)

// refuseWrongPlaces refuses flags whose folder, file or URL cannot be right, before
// the command does anything. What a flag takes is what its help calls its value.
// What may be right is for the command to find out.
func refuseWrongPlaces(cmd *cobra.Command) (err error) {
	checks := map[string]func(string) error{
		"folder": checkFolder, "archive": checkArchive, "file": checkFile, "document": checkDocument,
		"URL": checkURL, "link": checkURL, "origin": checkOrigin,
		"email": checkEmail, "address": checkListen,
	}
	if cmd.Flags().Changed("print-unit") { // it runs later, and as somebody else: folders are made until then
		delete(checks, "file")
	}
	flag.Visit(cmd.Flags(), func(f *pflag.Flag) {
		kind, _ := pflag.UnquoteUsage(f)
		check := checks[kind]
		if check == nil || err != nil {
			return
		}
		values := []string{f.Value.String()}
		if many, yes := f.Value.(pflag.SliceValue); yes {
			values = many.GetSlice()
		}
		for _, value := range values {
			if err = check(value); err != nil {
				err = fmt.Errorf("%s%w", flag.Name(f), err)
				return
			}
		}
	})
	return err
}

// wrong is what is wrong with a flag, in words that follow its name.
func wrong(hint, format string, args ...any) error {
	return problem.With(Misuse(format, args...), problem.Say(hint))
}

// goesBack refuses a path that goes into a folder that is not there and back out of it:
// the system finds no such path, and to leave both out may lead elsewhere.
func goesBack(path string) error {
	named := false // something before that can be gone back from
	for at := 0; at < len(path); {
		end := at
		for end < len(path) && !os.IsPathSeparator(path[end]) {
			end++
		}
		switch word := path[at:end]; {
		case word == ".." && named:
			if into := strings.TrimRight(path[:at], `/\`); into != "" {
				if _, err := os.Stat(into); errors.Is(err, fs.ErrNotExist) {
					return wrong("write it without the way back, as in "+filepath.Clean(path), " %s: it leads through %s, which is not there", path, into)
				}
			}
		case word != ".." && word != "." && word != "":
			named = true
		}
		at = end + 1
	}
	return nil
}

// checkFolder refuses a folder that is something else, or below something else, and one
// of the home as only a shell reads it.
func checkFolder(path string) error {
	if err := goesBack(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		return wrong("name a folder", " %s: it is there, and is no folder", path)
	case errors.Is(err, syscall.ENOTDIR):
		return wrong("name a folder", " %s: what is above it is no folder", path)
	case errors.Is(err, fs.ErrNotExist) && (path == "~" || strings.HasPrefix(path, "~/")):
		return wrong("write the whole path: only a shell reads ~, and not in the middle of a word", " %s: there is no folder of this name", path)
	}
	return nil
}

// checkArchive refuses a location on S3 that is not written rightly, and what is no folder.
func checkArchive(where string) error {
	if !archive.IsRemote(where) {
		return checkFolder(where)
	}
	if err := archive.CheckLocation(where); err != nil {
		return fmt.Errorf(": %w", err)
	}
	return nil
}

// checkFile refuses a file that is a folder, and one in a folder that is not there;
// "-" and nothing are none.
func checkFile(path string) error {
	if path == "-" || path == "" {
		return nil
	}
	if err := goesBack(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return wrong("name a file", " %s: it is there, and is a folder", path)
	case err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR):
		return nil
	}
	dir := filepath.Dir(path)
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return wrong("make the folder, or name another", " %s: there is no folder %s", path, dir)
	case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
		return wrong("name a file in a folder", " %s: %s is no folder", path, dir)
	}
	return nil
}

// OpenFile opens a file to be read; named is how the command line has it, as in "--body
// FILE". Whatever is wrong with it, the command line is.
func OpenFile(named, path string, advice problem.Advice) (*os.File, error) {
	f, err := os.Open(path)
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	if err != nil {
		return nil, problem.With(Misuse("%s: %w", named, err), advice)
	}
	return f, nil
}

// checkDocument refuses a file that is no fax document. What comes through a pipe can
// be read only once, by the command.
func checkDocument(path string) error {
	info, err := os.Stat(path)
	if path == "" || err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		return nil
	}
	if _, _, err := ReadDocument(path); err != nil {
		return fmt.Errorf(": %w", err)
	}
	return nil
}

// checkURL refuses what is no URL, and one of the web without a host. A path alone is
// a relative one.
func checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() == "" {
		return wrong("write it like https://fax.example.com/in", ": this is no URL with a host")
	}
	return nil
}

func checkEmail(address string) error {
	if _, err := mail.ParseAddress(address); err != nil {
		return wrong("write it like fax@example.com", ": %q is no email address", address)
	}
	return nil
}

func checkOrigin(address string) error {
	if _, err := profile.ParseAPIURL(address); err != nil {
		return fmt.Errorf(": %w", err)
	}
	return nil
}

// checkListen refuses what is no address to listen on.
func checkListen(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.DefaultResolver.LookupPort(context.Background(), "tcp", port)
	}
	if err != nil {
		return problem.With(Misuse(": %w", err), problem.Say("as in %s :8080 or %s", problem.Field("listen"), problem.Field("listen", "127.0.0.1:8080")))
	}
	return nil
}
