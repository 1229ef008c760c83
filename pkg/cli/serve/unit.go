package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/server"
)

// unitState is the state of a printed unit, which systemd makes for it.
const unitState = "/var/lib/faxctl"

// serviceUnit is a systemd unit that runs serve with the flags of this command
// line, and the profile in force. Secrets are not in it: they come from a file the
// unit names.
func serviceUnit(a *app.App, cmd *cobra.Command, s serving) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	argv := append([]string{program, "serve"}, unitFlags(cmd)...)
	p, err := a.Resolve()
	if err != nil && !errors.Is(err, profile.ErrNone) { // without an account here, there may be one there
		return "", err
	}
	config := ""
	if p.Name != "" {
		argv = append(argv, "--profile="+p.Name)
		if path, err := profile.Path(a.Getenv); err == nil && !p.IsBuiltIn() {
			config = path
		}
	}
	if len(s.program) > 0 {
		program, err := programLine(s.program)
		if err != nil {
			return "", err
		}
		argv = append(argv, "--exec="+program)
	}
	argv = append(argv, "--archive="+s.archive, "--state="+unitState)
	env, err := unitEnvironment(a, p, s)
	if err != nil {
		return "", err
	}
	if err := unitHolds(slices.Concat(argv, env.words(), []string{config, s.receipts})...); err != nil {
		return "", err
	}
	s.warnOfPlaces(a, argv[0], config)
	where := ""
	if config != "" {
		where = "# Where the profile is; faxctl, the user, must be able to read it.\nEnvironment=" + unitWord("FAXCTL_CONFIG="+config) + "\n"
	}
	if s.archiveFolder() == "" {
		where += "# What this machine knows of the archive, and may lose.\nEnvironment=XDG_CACHE_HOME=%C\nCacheDirectory=faxctl\nCacheDirectoryMode=0700\n"
	}
	line := unitWord(argv[0]) // nothing is expanded in the name of the program
	for _, arg := range argv[1:] {
		line += " " + strings.ReplaceAll(unitWord(arg), "$", "$$")
	}
	return fmt.Sprintf(`# /etc/systemd/system/faxctl.service. Before it is started:
#   useradd --system --home-dir /var/lib/faxctl --shell /usr/sbin/nologin faxctl
%s#   systemctl daemon-reload && systemctl enable --now faxctl
[Unit]
Description=faxctl receives faxes
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart=%s
# Reads what comes from files again.
ExecReload=/bin/kill -HUP $MAINPID
%s%sRestart=always
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
# Folders that are there already, and that faxctl, the user, can write to: systemd
# makes none of them.
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
`, installs(s), line, env, where, server.OpenFiles(s.MaxConns), int(s.Drain.Seconds())+10, portCapability(cmd.Context(), s.listen), writable(s)), nil
}

// unitFlags are the flags of this command line that are a service's as well, and are not
// written anew for it.
func unitFlags(cmd *cobra.Command) []string {
	var args []string
	flag.Visit(cmd.Flags(), func(f *pflag.Flag) {
		if !f.Changed && cmd.InheritedFlags().Lookup(f.Name) != nil {
			return // a variable of this person's, for what a service has not
		}
		switch f.Name {
		case "print-unit", "take-over", "archive", "state", "exec", "profile":
			return
		case "output", "columns", "no-header", "raw", "color": // nobody is there to read
			return
		}
		texts := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			texts = list.GetSlice()
		}
		for _, text := range texts {
			args = append(args, "--"+f.Name+"="+text)
		}
	})
	return args
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

// warnOfPlaces tells of what a service would not find where it is.
func (s serving) warnOfPlaces(a *app.App, program, config string) {
	paths := []string{program, config, s.archiveFolder(), s.cert, s.key, s.mail}
	if s.receipts != "-" {
		paths = append(paths, s.receipts)
	}
	for _, path := range paths {
		switch {
		case below(path, "/tmp", "/var/tmp"):
			a.Warn("%s: the unit has a /tmp of its own, where this is not; put it elsewhere, as in /srv or /usr/local", text.Line(path))
		case below(path, "/home", "/root", "/run/user"):
			a.Warn("%s: faxctl, the user of the unit, may not look into the homes of others; put it elsewhere, as in /srv or /etc/faxctl", text.Line(path))
		}
	}
}

func below(path string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") })
}

// installs make the folders outside of the state that are written to. That of the
// receipts may be there already, and be the one of other programs as well.
func installs(s serving) string {
	const install = "install -d -o faxctl -g faxctl -m 0700 "
	lines := ""
	if dir := s.archiveFolder(); dir != "" {
		lines = "#   " + install + text.ShellWord(dir) + "\n"
	}
	if dir := receiptsFolder(s); dir != "" {
		lines += "#   test -d " + text.ShellWord(dir) + " || " + install + text.ShellWord(dir) + "\n"
	}
	return lines
}

// writable are the folders outside of the state that are written to.
func writable(s serving) string {
	var paths []string
	for _, dir := range []string{s.archiveFolder(), receiptsFolder(s)} {
		if dir != "" {
			paths = append(paths, unitWord(dir))
		}
	}
	return strings.Join(paths, " ")
}

// archiveFolder is the folder of the archive; "": it is on S3.
func (s serving) archiveFolder() string {
	if archive.IsRemote(s.archive) {
		return ""
	}
	return s.archive
}

// receiptsFolder is that of --receipts; "": it is the archive or the state, which are
// written to anyway, or there are none.
func receiptsFolder(s serving) string {
	if dir := filepath.Dir(s.receipts); s.receipts != "" && s.receipts != "-" && dir != s.archive && dir != unitState {
		return dir
	}
	return ""
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

// unitHolds refuses what no line of a unit can say, or would say as another line.
func unitHolds(words ...string) error {
	for _, word := range words {
		if !utf8.ValidString(word) || strings.ContainsFunc(word, text.Unsafe) {
			return problem.With(app.Misuse("%s has a line break or another control character, which a unit cannot hold", strconv.Quote(word)),
				problem.Say("give it another name"))
		}
	}
	return nil
}

// unitWord writes a word so that systemd reads it back: quoted where needed, with no
// specifier in it expanded. In a command, where variables are, $ has to be doubled
// besides.
// Source: systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting".
func unitWord(s string) string {
	s = strings.ReplaceAll(s, "%", "%%")
	if s != "" && !strings.ContainsAny(s, " \"'\\;#") {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
