package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/server"
)

// serviceUnit is a systemd unit that runs serve with the flags of this command
// line, and the profile in force. Secrets are not in it: they come from a file the
// unit names.
func serviceUnit(a *app.App, cmd *cobra.Command, s serving) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	argv := []string{program, "serve"}
	flag.Visit(cmd.Flags(), func(f *pflag.Flag) {
		if !f.Changed && cmd.InheritedFlags().Lookup(f.Name) != nil {
			return // a variable of this person's, for what a service has not
		}
		switch f.Name {
		case "print-unit", "take-over", "archive", "state", "exec", "profile":
			return
		}
		texts := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			texts = list.GetSlice()
		}
		for _, text := range texts {
			argv = append(argv, "--"+f.Name+"="+text)
		}
	})
	secrets := "TWILIO_ACCOUNT_SID=..., TWILIO_AUTH_TOKEN=... and\n# so on"
	config := ""
	p, err := a.Resolve()
	if err != nil && !errors.Is(err, profile.ErrNone) { // without an account here, there may be one there
		return "", err
	}
	if p.Name != "" {
		argv = append(argv, "--profile="+p.Name)
		secrets = "what the profile refers to"
		if path, err := profile.Path(a.Getenv); err == nil && !p.IsBuiltIn() {
			config = "# Where the profile is; faxctl, the user, must be able to read it and its secret.\n" +
				"Environment=" + strings.ReplaceAll(unitQuote("FAXCTL_CONFIG="+path), "$$", "$") + "\n"
		}
	}
	if s.forward != "" {
		secrets += ", FAXCTL_FORWARD_KEY=..."
	}
	if len(s.program) > 0 {
		program, err := programLine(s.program)
		if err != nil {
			return "", err
		}
		argv = append(argv, "--exec="+program)
	}
	argv = append(argv, "--archive="+s.archive, "--state=/var/lib/faxctl")
	for i, arg := range argv {
		argv[i] = unitQuote(arg)
	}
	return fmt.Sprintf(`[Unit]
Description=faxctl receives faxes
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart=%s
# Reads what comes from files again.
ExecReload=/bin/kill -HUP $MAINPID
# The account and its secrets: %s,
# readable by root alone.
EnvironmentFile=-/etc/faxctl/serve.env
%sRestart=always
RestartSec=2
# Two for each of --max-connections, and some for the rest.
LimitNOFILE=%d
TimeoutStopSec=%d
# A program of --exec that runs at the end may finish.
KillMode=mixed
User=faxctl
%sStateDirectory=faxctl
StateDirectoryMode=0700
UMask=0077
# Folders that are there already: systemd makes none of them.
ReadWritePaths=%s
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`, strings.Join(argv, " "), secrets, config, server.OpenFiles(s.MaxConns), int(s.Drain.Seconds())+10, portCapability(cmd.Context(), s.listen), writable(s)), nil
}

// programLine is the command line of a program that is found from any folder.
func programLine(p delivery.Program) (string, error) {
	words := slices.Clone(p)
	if strings.ContainsRune(words[0], filepath.Separator) {
		path, err := filepath.Abs(words[0])
		if err != nil {
			return "", err
		}
		words[0] = path
	}
	for i, word := range words {
		words[i] = text.ShellWord(word)
	}
	return strings.Join(words, " "), nil
}

// writable are the folders outside of the state that are written to.
func writable(s serving) string {
	paths := unitQuote(s.archive)
	if s.receipts != "" && s.receipts != "-" {
		paths += " " + unitQuote(filepath.Dir(s.receipts))
	}
	return strings.ReplaceAll(paths, "$$", "$") // $ means something in commands only
}

// portCapability lets a user who is not root listen on a port below 1024, and
// nothing else.
func portCapability(ctx context.Context, listen string) string {
	_, port, err := net.SplitHostPort(listen)
	if n, perr := net.DefaultResolver.LookupPort(ctx, "tcp", port); err != nil || perr != nil || n == 0 || n >= 1024 {
		return ""
	}
	return "AmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"
}

// unitQuote writes a word so that systemd reads it back: quoted where needed,
// with nothing in it expanded.
// Source: systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting".
func unitQuote(s string) string {
	s = strings.NewReplacer("%", "%%", "$", "$$").Replace(s)
	if !strings.ContainsAny(s, " \t\n\"'\\;") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}
