package durable

import (
	"fmt"
	"path/filepath"
	"runtime"
)

// ConfigHome is the folder in which programs have what a person wrote for them:
// XDG_CONFIG_HOME, or %AppData% on Windows and ~/.config elsewhere, macOS included.
// Like the other places it is said by the environment alone and may not be there;
// variables that say no absolute path do not count. The error names the variable
// without which there is no place.
// Source: the XDG Base Directory Specification 0.8, "Environment variables".
func ConfigHome(getenv func(string) string) (string, error) {
	return configHome(getenv, runtime.GOOS)
}

// StateHome is the folder in which programs have what is of this machine alone and
// not to be lost: XDG_STATE_HOME, or ~/.local/state.
func StateHome(getenv func(string) string) (string, error) {
	return place(getenv, "XDG_STATE_HOME", userHome(runtime.GOOS), ".local", "state")
}

// CacheHome is the folder in which programs have what they can do without:
// XDG_CACHE_HOME, or ~/.cache.
func CacheHome(getenv func(string) string) (string, error) {
	return place(getenv, "XDG_CACHE_HOME", userHome(runtime.GOOS), ".cache")
}

func configHome(getenv func(string) string, system string) (string, error) {
	if system == "windows" {
		return place(getenv, "XDG_CONFIG_HOME", "AppData")
	}
	return place(getenv, "XDG_CONFIG_HOME", userHome(system), ".config")
}

// userHome is the variable that has a person's own folder.
func userHome(system string) string {
	if system == "windows" {
		return "USERPROFILE"
	}
	return "HOME"
}

// place is what the variable says, or what is below the folder that another one says.
func place(getenv func(string) string, variable, home string, below ...string) (string, error) {
	if dir := getenv(variable); filepath.IsAbs(dir) {
		return dir, nil
	}
	dir := getenv(home)
	if dir == "" {
		return "", fmt.Errorf("%s is not set", home)
	}
	return filepath.Join(append([]string{dir}, below...)...), nil
}
