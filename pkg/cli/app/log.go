package app

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
)

// The formats of a log.
const (
	LogText = "text"
	LogJSON = "json"
)

// LogFormatFlag is the flag by which a server is told the format of its log.
const LogFormatFlag = "log-format"

// Logger is a log on standard error. In JSON it is all that is written there, the reason
// why the command failed as well: whoever collects logs reads no other lines.
func (a *App) Logger(format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: a.readable}
	switch {
	case a.Flags.Debug:
		options.Level = slog.LevelDebug
	case a.Flags.Quiet:
		options.Level = slog.LevelWarn
	}
	if format == LogJSON {
		return slog.New(slog.NewJSONHandler(a.Err, options))
	}
	return slog.New(slog.NewTextHandler(a.Err, options))
}

// readable writes a duration as 1.5s in either format, where JSON would have nanoseconds,
// and advice as it is said to the command line that keeps the log.
func (a *App) readable(_ []string, attr slog.Attr) slog.Attr {
	if attr.Value.Kind() == slog.KindDuration {
		attr.Value = slog.StringValue(attr.Value.Duration().String())
	} else if advice, is := attr.Value.Any().(problem.Advice); is {
		attr.Value = slog.StringValue(a.advise(advice))
	}
	return attr
}

// talkAsLogged makes lines of a JSON log of all that is said, for a command that was
// told to keep one. A unit that is printed is for a person.
func (a *App) talkAsLogged(cmd *cobra.Command, format string) {
	if f := cmd.Flags().Lookup(LogFormatFlag); f != nil && format == LogJSON && !cmd.Flags().Changed("print-unit") {
		a.talk = a.Logger(LogJSON)
	}
}

// logFormatOf is what the log format of a command line is, which could not be read to
// its end.
func (a *App) logFormatOf(cmd *cobra.Command, args []string) string {
	f := cmd.Flags().Lookup(LogFormatFlag)
	if f == nil {
		return ""
	}
	return a.wished(args, LogFormatFlag, "", flag.Variable(f))
}

// logFailure says why the command failed.
func (a *App) logFailure(err error) {
	a.WithHint(a.talk.With("exit", statusOf(err)), err).Error(text.Lines(err.Error()))
}

// WithHint is log with what to do next about err, where that is known.
func (a *App) WithHint(log *slog.Logger, err error) *slog.Logger {
	if hint := a.Hint(err); hint != "" {
		return log.With("hint", hint)
	}
	return log
}
