package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// closed runs a command whose standard output is a pipe that nobody reads any more, and
// wants it to end with a status. What it says on standard error is in the file said.
func closed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: closed STATUS COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	reader, writer, err := os.Pipe()
	ts.Check(errors.Join(err, reader.Close()))
	ts.Check(ts.Exec("env", "-0"))
	var said bytes.Buffer
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Env = strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\x00"), "\x00")
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), writer, &said
	err = cmd.Run()
	ts.Check(errors.Join(writer.Close(), os.WriteFile(ts.MkAbs("said"), said.Bytes(), 0o600)))
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit status %d, want %d: %s", got, want, said.String())
	}
}
