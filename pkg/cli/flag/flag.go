// Package flag makes flags that mean something: an age, a share, a price, one of a
// few words. What such a flag is given is read when the command line is, so that a
// wrong one is refused by name before the command begins.
//
//	f.Var(flag.Of(&olderThan, retention.ParseAge), "older-than", "only faxes made longer ago than this `age`")
//	f.Var(flag.OneOf(&direction, fax.Inbound, fax.Outbound), "direction", "only faxes that went this `way`")
//
// [Explain] turns the mistakes of a command line into ours.
package flag

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Value is a flag that is read into a T.
type Value[T any] struct {
	to   *T
	read func(text string) (T, error)
	kind string // of value, as pflag calls it
	text string // as it was given
}

var _ pflag.Value = (*Value[int])(nil)

// Of is a flag that read reads into to. The error of read says what is wrong with the
// text, and not which flag it is. A text of nothing is not read and leaves to as it is:
// where it means nothing, that is a mistake of its own.
func Of[T any](to *T, read func(text string) (T, error)) *Value[T] {
	return &Value[T]{to: to, read: read, kind: "string"}
}

// Or gives the flag its default, as it would be typed. One that cannot be read is a
// mistake in the program.
func (v *Value[T]) Or(text string) *Value[T] {
	if err := v.Set(text); err != nil {
		panic(err)
	}
	return v
}

// Set implements pflag.Value.
func (v *Value[T]) Set(text string) error {
	if strings.TrimSpace(text) != "" {
		read, err := v.read(text)
		if err != nil {
			return err
		}
		*v.to = read
	}
	v.text = text
	return nil
}

// String implements pflag.Value: the text that was given, or the default.
func (v *Value[T]) String() string { return v.text }

// Type implements pflag.Value.
func (v *Value[T]) Type() string { return v.kind }

// OneOf is a flag that takes one of a few words, in any case. What to is, is its
// default.
func OneOf[T ~string](to *T, words ...T) *Value[T] {
	v := Of(to, func(given string) (T, error) { return Word(given, words) })
	v.text = string(*to)
	return v
}

// Word is the one of a few words that is given, in any case. The error is
// problem.ErrInvalid, and its advice names them.
func Word[T ~string](given string, words []T) (T, error) {
	for _, w := range words {
		if strings.EqualFold(given, string(w)) {
			return w, nil
		}
	}
	err := problem.Of(problem.ErrInvalid, fmt.Errorf("unknown value %q", given))
	takes := text.List(words, "or")
	if meant := text.Meant(given, words); meant != "" {
		return "", problem.With(err, problem.Say(meant+" It takes "+takes))
	}
	return "", problem.With(err, problem.Say("it takes "+takes))
}

// Number is a flag that takes a whole number of least or more. What to is, is its
// default.
func Number(to *int, least int) *Value[int] { return NumberUpTo(to, least, math.MaxInt) }

// NumberUpTo is [Number], up to most.
func NumberUpTo(to *int, least, most int) *Value[int] {
	takes := strconv.Itoa(least) + " or more"
	if most != math.MaxInt {
		takes = fmt.Sprintf("%d to %d", least, most)
	}
	return within(to, "int", readInt, strconv.Itoa(*to), func(n int) string {
		if n < least || n > most {
			return takes
		}
		return ""
	})
}

func readInt(text string) (int, error) {
	n, err := strconv.ParseInt(text, 0, strconv.IntSize)
	return int(n), err
}

// Duration is a flag that takes a time of nothing or more, as in 30s. What to is, is
// its default.
func Duration(to *time.Duration) *Value[time.Duration] { return duration(to, 0, "0s or more") }

// LongerThan is [Duration] of least or more.
func LongerThan(to *time.Duration, least time.Duration) *Value[time.Duration] {
	return duration(to, least, least.String()+" or more")
}

// SomeTime is [Duration] of more than nothing.
func SomeTime(to *time.Duration) *Value[time.Duration] { return duration(to, 1, "more than 0s") }

func duration(to *time.Duration, least time.Duration, takes string) *Value[time.Duration] {
	text := to.String()
	if *to == 0 {
		text = "0" // which help does not show
	}
	return within(to, "duration", time.ParseDuration, text, func(d time.Duration) string {
		if d < least {
			return takes
		}
		return ""
	})
}

// within is a flag whose value has a range: wrong is what it takes, when a value is
// not in it.
func within[T any](to *T, kind string, read func(string) (T, error), text string, wrong func(T) string) *Value[T] {
	return &Value[T]{to: to, kind: kind, text: text, read: func(given string) (T, error) {
		got, err := read(given)
		if err == nil {
			if takes := wrong(got); takes != "" {
				err = &rangeError{takes: takes}
			}
		}
		return got, err
	}}
}

// Hint says what to do about a value that is out of range.
func (v *Value[T]) Hint(a problem.Advice) *Value[T] {
	read := v.read
	v.read = func(text string) (T, error) {
		got, err := read(text)
		var out *rangeError
		if errors.As(err, &out) {
			out.advice = a
		}
		return got, err
	}
	return v
}

// rangeError is a value that is out of range. It is shown after the flag and the value.
type rangeError struct {
	takes  string
	advice problem.Advice
}

func (e *rangeError) Error() string            { return "it takes " + e.takes }
func (e *rangeError) NextStep() problem.Advice { return e.advice }
func (*rangeError) Unwrap() error              { return problem.ErrInvalid }

// Many is a flag that may be repeated, each time with one value.
type Many[T any] struct {
	to    *[]T
	read  func(text string) (T, error)
	texts []string
}

var _ pflag.SliceValue = (*Many[int])(nil)

// Each is a flag that may be repeated; read reads each of its values, as [Of] does.
func Each[T any](to *[]T, read func(text string) (T, error)) *Many[T] {
	return &Many[T]{to: to, read: read}
}

// Set implements pflag.Value: it adds a value.
func (m *Many[T]) Set(text string) error { return m.Append(text) }

// Append implements pflag.SliceValue.
func (m *Many[T]) Append(text string) error {
	if strings.TrimSpace(text) != "" {
		read, err := m.read(text)
		if err != nil {
			return err
		}
		*m.to = append(*m.to, read)
	}
	m.texts = append(m.texts, text)
	return nil
}

// Replace implements pflag.SliceValue.
func (m *Many[T]) Replace(texts []string) error {
	*m.to, m.texts = nil, nil
	for _, text := range texts {
		if err := m.Append(text); err != nil {
			return err
		}
	}
	return nil
}

// GetSlice implements pflag.SliceValue.
func (m *Many[T]) GetSlice() []string { return m.texts }

// String implements pflag.Value.
func (m *Many[T]) String() string { return strings.Join(m.texts, ", ") }

// Type implements pflag.Value.
func (*Many[T]) Type() string { return "stringArray" }
