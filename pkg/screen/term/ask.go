package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	xterm "golang.org/x/term"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// ErrNoInput says that a question could not be asked: no terminal, or told not
// to ask.
var ErrNoInput = errors.New("nobody can be asked")

// Confirm asks a question of yes or no. Anything but "y" or "yes" is no, and
// so is the end of the input.
func (t *Term) Confirm(ctx context.Context, question string) (bool, error) {
	if !t.asking {
		return false, unconfirmed(question)
	}
	answer, err := t.Ask(ctx, question+" [y/N]")
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	answer = strings.ToLower(answer)
	return answer == "y" || answer == "yes", err
}

// TypeToConfirm asks for want, word for word, so that nobody destroys by
// habit. Another answer is no.
func (t *Term) TypeToConfirm(ctx context.Context, question, want string) (bool, error) {
	if !t.asking {
		return false, unconfirmed(question)
	}
	answer, err := t.Ask(ctx, fmt.Sprintf("%s Type %s to go on:", question, want))
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil && answer == want, err
}

// unconfirmed is the error of a question that would have been asked.
func unconfirmed(question string) error {
	return fmt.Errorf("needs confirmation, and %w: %s", ErrNoInput, text.Line(question))
}

// Ask asks for a line of text, and returns it without the spaces around it. It
// fails with io.EOF when the input ends, with ErrNoInput, or when ctx ends.
func (t *Term) Ask(ctx context.Context, question string) (string, error) {
	return t.ask(ctx, question, false)
}

// Secret asks for a line that does not appear on the screen. Errors as Ask.
func (t *Term) Secret(ctx context.Context, question string) (string, error) {
	return t.ask(ctx, question, true)
}

func (t *Term) ask(ctx context.Context, question string, secret bool) (string, error) {
	question = text.Line(question)
	if !t.asking {
		return "", fmt.Errorf("needs an answer, and %w: %s", ErrNoInput, strings.TrimSuffix(question, ":"))
	}
	release := t.hold(question + " ")
	answer, err := t.in.read(ctx, secret)
	release(err == nil && !secret) // the Enter after a secret is not seen either
	return strings.TrimSpace(answer), err
}

// input is the keyboard.
type input struct {
	stream io.Reader
	reader *bufio.Reader

	// pending is a line somebody began to wait for and gave up: a read
	// cannot be called back, so the next question takes over.
	pending chan answer
}

type answer struct {
	line string
	err  error
}

func (in *input) read(ctx context.Context, secret bool) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	file, isFile := in.stream.(interface{ Fd() uintptr })
	if secret && isFile {
		return readSecret(ctx, int(file.Fd()))
	}
	if in.pending == nil {
		pending := make(chan answer, 1)
		go func() {
			line, err := in.reader.ReadString('\n')
			if line != "" && errors.Is(err, io.EOF) {
				err = nil
			}
			pending <- answer{line, err}
		}()
		in.pending = pending
	}
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-in.pending:
		in.pending = nil
		return a.line, a.err
	}
}

// readSecret reads a line with the echo off, and leaves it on again however it
// ends.
func readSecret(ctx context.Context, fd int) (string, error) {
	before, err := xterm.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("switch off the echo: %w", err)
	}
	done := make(chan answer, 1)
	go func() {
		line, err := xterm.ReadPassword(fd)
		done <- answer{string(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), xterm.Restore(fd, before))
	case a := <-done:
		return a.line, a.err
	}
}
