package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/screen/output"
)

// build tells which faxctl this is.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// thisBuild reads what the Go tool put into the binary: the version is the tag
// it was built at, or (devel).
func thisBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
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
func (b build) String() string {
	return fmt.Sprintf("faxctl %s (%s, %s/%s)", b.Version, b.Go, b.OS, b.Arch)
}

func buildType() output.Type[build] {
	return output.Type[build]{ID: func(b build) string { return b.Version }, Columns: []output.Column[build]{
		{Name: "version", Value: func(b build) string { return b.Version }},
		{Name: "commit", Value: func(b build) string { return b.Commit }},
		{Name: "go", Value: func(b build) string { return b.Go }},
		{Name: "os", Value: func(b build) string { return b.OS }},
		{Name: "arch", Value: func(b build) string { return b.Arch }},
	}}
}

func (a *app) version() *cobra.Command {
	var out printing[build]
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  faxctl version\n  faxctl version -o json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := thisBuild()
			if !a.dataAsked {
				_, err := fmt.Fprintln(&a.page, b)
				return err
			}
			return out.one(cmd.Context(), b)
		},
	}
	out.bind(a, cmd, buildType, nil)
	return cmd
}
