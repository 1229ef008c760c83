package app

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Build tells which faxctl this is.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// ThisBuild reads what the Go tool put into the binary: the version is the tag
// it was built at, or (devel).
func ThisBuild() Build {
	b := Build{Version: "(devel)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	return b
}

// String is the line for people.
func (b Build) String() string {
	return fmt.Sprintf("faxctl %s (%s, %s/%s)", b.Version, b.Go, b.OS, b.Arch)
}
