package durable //nolint:testpackage // places of another system than this one

import (
	"path/filepath"
	"testing"
)

func TestPlaces(t *testing.T) {
	vars := map[string]string{"HOME": "/home/ann", "AppData": "/roaming", "USERPROFILE": "/users/ann"}
	getenv := func(name string) string { return vars[name] }
	check := func(what string, got string, err error, want string) {
		t.Helper()
		if err != nil || got != filepath.FromSlash(want) {
			t.Errorf("%s: %q, %v, want %q", what, got, err, want)
		}
	}
	for system, want := range map[string]string{"linux": "/home/ann/.config", "darwin": "/home/ann/.config", "windows": "/roaming"} {
		got, err := configHome(getenv, system)
		check(system, got, err, want)
	}
	state, err := place(getenv, "XDG_STATE_HOME", userHome("linux"), ".local", "state")
	check("state", state, err, "/home/ann/.local/state")
	cache, err := place(getenv, "XDG_CACHE_HOME", userHome("windows"), ".cache")
	check("cache", cache, err, "/users/ann/.cache")

	vars["XDG_CACHE_HOME"] = "cache" // a relative one does not count
	cache, err = CacheHome(getenv)
	check("relative", cache, err, filepath.Join(vars[userHome("linux")], ".cache"))

	vars["XDG_CONFIG_HOME"], vars["XDG_STATE_HOME"], vars["XDG_CACHE_HOME"] = "/c", "/s", "/k"
	for want, home := range map[string]func(func(string) string) (string, error){"/c": ConfigHome, "/s": StateHome, "/k": CacheHome} {
		got, err := home(getenv)
		check("said", got, err, want)
	}
	if _, err := StateHome(func(string) string { return "" }); err == nil || err.Error() != userHome("linux")+" is not set" {
		t.Errorf("without a home: %v", err)
	}
}
