package postgres

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

func TestCheck(t *testing.T) {
	for address, says := range map[string]string{
		"postgres://faxctl@db.example.com/faxctl":                               "",
		"postgresql://faxctl@db.example.com:6432/faxctl?sslmode=require":        "",
		"postgres://faxctl@/faxctl?host=/run/postgresql":                        "",
		"postgres:///faxctl?host=/run/postgresql&user=faxctl":                   "",
		"postgres://faxctl@a.example.com:1,b.example.com:2/faxctl":              "",
		"postgres://faxctl@[::1]/faxctl":                                        "",
		"":                                                                      "it does not begin with postgres://",
		"mysql://faxctl@db.example.com/faxctl":                                  "it does not begin with postgres://",
		"host=db.example.com user=faxctl password=hunter2":                      "there is a blank in it",
		"postgres://faxctl:hunter2@db.example.com/faxctl":                       "it has a password in it",
		"postgres://faxctl:@db.example.com/faxctl":                              "it has a password in it",
		"postgres://faxctl%3Ahunter2@db.example.com/faxctl":                     "it has a password in it",
		"postgres://faxctl%3ahunter2@db.example.com/faxctl?sslmode=require":     "it has a password in it",
		"postgres://db.example.com/faxctl?user=faxctl:hunter2":                  "it has a password in it",
		"postgres://a@db.example.com/faxctl?user=a&user=faxctl%3Ahunter2":       "it has a password in it",
		"postgres://faxctl@db.example.com/faxctl?password=hunter2":              "it has a password in it",
		"postgres://faxctl@db.example.com/faxctl?pass%77ord=hunter2":            "it has a password in it",
		"postgres://faxctl@db.example.com/faxctl?sslpassword=hunter2":           "it has sslpassword in it",
		"postgres://faxctl@db.example.com/faxctl?passfile=/hunter2":             "it has passfile in it",
		"postgres://faxctl:hun/ter2@db.example.com/faxctl":                      "it cannot be read",
		"postgres://faxctl:12/hunter2@db.example.com/faxctl":                    "a #, @ or :",
		"postgres://faxctl:12#hunter2@db.example.com/faxctl":                    "a #, @ or :",
		"postgres://faxctl:?hunter2@db.example.com/faxctl":                      "a #, @ or :",
		"postgres://faxctl:12?hunter2&x#y@db.example.com/faxctl":                "a #, @ or :",
		"postgres://faxctl@db.example.com/":                                     "it names no database",
		"postgres://db.example.com/faxctl":                                      "it names no user",
		"postgres://faxctl@/faxctl":                                             "it names no host",
		"postgres://faxctl@db.example.com/faxctl?search_path=x":                 `setting "search_path"`,
		"postgres://faxctl@db.example.com/faxctl?sslmode=disable&sslmode=allow": "sslmode is said twice",
	} {
		err := Check(address)
		if says == "" && err != nil || says != "" && (!errors.Is(err, problem.ErrInvalid) || !strings.Contains(err.Error(), says) || problem.AdviceOf(err).Empty()) {
			t.Errorf("%s: %v, want %q", address, err, says)
		}
		if err != nil && strings.Contains(err.Error()+problem.AdviceOf(err).String(), "hunter2") {
			t.Errorf("%s: the password is in %v", address, err)
		}
	}
}

func TestMask(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://faxctl@db.example.com:5432/faxctl?sslmode=require": "postgres://faxctl@db.example.com:5432/faxctl?sslmode=require",
		"postgres://faxctl@a:1,b:2/faxctl":                             "postgres://faxctl@a:1,b:2/faxctl",
		"postgres://faxctl@[::1]:5432/faxctl":                          "postgres://faxctl@[::1]:5432/faxctl",
		"postgres://faxctl@/faxctl?host=/run/postgresql":               "postgres://faxctl@/faxctl?host=/run/postgresql",
		"postgresql://faxctl:hunter2@db.example.com/faxctl":            "postgres://[hidden]",
		"postgres://faxctl%3Ahunter2@db.example.com/faxctl":            "postgres://[hidden]",
		"host=db password=hunter2":                                     "postgres://[hidden]",
	} {
		if got := Mask(address); got != want {
			t.Errorf("%q: %s, want %s", address, got, want)
		}
	}
}

// Whatever a password is made of, and wherever people put it, it is not shown, neither
// in the URL nor in what is wrong with it.
func TestPasswordsAreNeverShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[a-z0-9:@/?#&=%\[\], ]{0,6}`)
		password := part.Draw(t, "before") + "hunter2" + part.Draw(t, "after")
		address := rapid.SampledFrom([]string{
			"postgres://faxctl:" + password + "@db.example.com/faxctl", "postgres://" + url.QueryEscape("faxctl:"+password) + "@db.example.com/faxctl",
			"postgres://faxctl:" + password + "@db.example.com/faxctl?sslmode=require",
			"postgres://faxctl@db.example.com/faxctl?sslmode=require&password=" + strings.ReplaceAll(password, "&", ""),
			"host=db.example.com password=" + password,
		}).Draw(t, "address")
		if shown := Mask(address); strings.Contains(shown, "hunter2") {
			t.Fatalf("%s is shown as %s", address, shown)
		}
		err := Check(address)
		if err == nil {
			t.Fatalf("%s is taken", address)
		}
		if said := err.Error() + problem.AdviceOf(err).String(); strings.Contains(said, "hunter2") {
			t.Fatalf("%s: %s", address, said)
		}
	})
}

// The environment has a say in who vouches for a server, and none in which it is or
// whether it has to prove it.
func TestTheURLDecides(t *testing.T) {
	for _, name := range []string{"PGHOST", "PGDATABASE", "PGUSER", "PGOPTIONS", "PGTZ"} {
		t.Setenv(name, "elsewhere")
	}
	t.Setenv("PGPORT", "1")
	t.Setenv("PGSSLMODE", "disable")
	t.Setenv("PGTARGETSESSIONATTRS", "standby")
	t.Setenv("HOME", t.TempDir())
	for address, proven := range map[string]bool{
		"postgres://faxctl@db.example.com/faxctl":                       true,
		"postgres://faxctl@192.0.2.1/faxctl":                            true,
		"postgres://faxctl@localhost,db.example.com/faxctl":             true,
		"postgres://faxctl@localhost/faxctl":                            false,
		"postgres://faxctl@127.0.0.2/faxctl":                            false,
		"postgres://faxctl@db.example.com/faxctl?sslmode=require":       false,
		"postgres://faxctl@localhost.example.com/faxctl?sslsni=0":       true,
		"postgres://faxctl@localhost/faxctl?sslmode=verify-full":        true,
		"postgres://faxctl@/faxctl?host=db.example.com&port=5432":       true,
		"postgres://faxctl@127.0.0.1.example.com:5432/faxctl?port=5432": true,
	} {
		c, err := configure(address, "")
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		tls := c.TLSConfig
		if got := tls != nil && !tls.InsecureSkipVerify && tls.ServerName != "" && len(c.Fallbacks) <= 1; got != proven && !strings.Contains(address, "sslsni") {
			t.Errorf("%s: proven: %v, want %v (%+v)", address, got, proven, tls)
		}
		if proven && c.TLSConfig == nil {
			t.Errorf("%s: no TLS", address)
		}
		for _, f := range c.Fallbacks {
			if proven && (f.TLSConfig == nil || f.TLSConfig.InsecureSkipVerify) {
				t.Errorf("%s falls back to less", address)
			}
		}
		if c.Port != 5432 || c.User != "faxctl" || c.Database != "faxctl" || strings.Contains(c.Host, "elsewhere") || c.ValidateConnect != nil || len(c.RuntimeParams) != 1 {
			t.Errorf("%s: %s:%d, %s, %s, %v", address, c.Host, c.Port, c.User, c.Database, c.RuntimeParams)
		}
	}
}

func TestPasswordFileOfEverybody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(path, []byte("*:*:*:*:hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSFILE", path)
	if c, err := configure("postgres://faxctl@localhost/faxctl", ""); err != nil || c.Password != "hunter2" {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err := configure("postgres://faxctl@localhost/faxctl", "another"); err != nil || c.Password != "another" {
		t.Error("the file is not asked:", err)
	}
	if _, err := configure("postgres://faxctl@localhost/faxctl", ""); !errors.Is(err, problem.ErrAuth) {
		t.Errorf("everybody may read the passwords: %v", err)
	}
}
