package app

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestBuild(t *testing.T) {
	const rev = "0123456789abcdef0123456789abcdef01234567"
	for _, tt := range []struct {
		name, version string
		settings      []debug.BuildSetting
		want          string
	}{
		{"go run, or a test", "(devel)", nil, "faxctl (devel) (go"},
		{"no information", "", nil, "faxctl (devel) (go"},
		{"a tag from a module proxy", "v1.2.3", nil, "faxctl v1.2.3 (go"},
		{"a commit from a module proxy", "v0.0.0-20261129101112-0123456789ab", nil, "faxctl v0.0.0-20261129101112-0123456789ab (commit 0123456789ab of 2026-11-29, go"},
		{
			"a repository", "v1.2.3", []debug.BuildSetting{{Key: "vcs.revision", Value: rev}, {Key: "vcs.time", Value: "2026-11-29T10:11:12Z"}, {Key: "vcs.modified", Value: "false"}},
			"faxctl v1.2.3 (commit 0123456789ab of 2026-11-29, go",
		},
		{
			"a repository with changes", "v0.0.0-20261129101112-0123456789ab+dirty", []debug.BuildSetting{{Key: "vcs.revision", Value: rev}, {Key: "vcs.modified", Value: "true"}},
			"faxctl v0.0.0-20261129101112-0123456789ab+dirty (commit 0123456789ab of 2026-11-29 with changes, go",
		},
		{"another tool's build", "v1.2.3", []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "yesterday"}}, "faxctl v1.2.3 (commit abc, go"},
	} {
		b := buildOf(&debug.BuildInfo{Main: debug.Module{Version: tt.version}, Settings: tt.settings})
		if got := b.String(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %q…", tt.name, got, tt.want)
		}
	}
}
