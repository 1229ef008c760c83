package app

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/mod/module"
)

// Build tells which faxctl this is.
type Build struct {
	Version string    `json:"version"`
	Commit  string    `json:"commit,omitempty"`
	Date    time.Time `json:"date,omitzero"`     // of the commit
	Changed bool      `json:"changed,omitempty"` // the sources were not those of the commit
	Go      string    `json:"go"`
	OS      string    `json:"os"`
	Arch    string    `json:"arch"`
}

// ThisBuild reads what the Go tool put into the binary: the version is the tag
// it was built at, a pseudo-version between two of them, or (devel), as of a
// test or of go run, where commit and date are not known.
func ThisBuild() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return buildOf(info)
}

func buildOf(info *debug.BuildInfo) Build {
	b := Build{Version: "(devel)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	// Installed from a module proxy, a binary knows no repository: what it was
	// made of is in its version alone.
	if plain := strings.TrimSuffix(b.Version, "+dirty"); module.IsPseudoVersion(plain) {
		b.Commit, _ = module.PseudoVersionRev(plain)
		b.Date, _ = module.PseudoVersionTime(plain)
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date, _ = time.Parse(time.RFC3339, s.Value)
		case "vcs.modified":
			b.Changed = s.Value == "true"
		}
	}
	return b
}

// String is the line for people.
func (b Build) String() string {
	made := ""
	if b.Commit != "" {
		made = "commit " + b.Commit[:min(12, len(b.Commit))]
		if !b.Date.IsZero() {
			made += " of " + b.Date.UTC().Format(time.DateOnly)
		}
		if b.Changed {
			made += " with changes"
		}
		made += ", "
	}
	return fmt.Sprintf("faxctl %s (%s%s, %s/%s)", b.Version, made, b.Go, b.OS, b.Arch)
}
