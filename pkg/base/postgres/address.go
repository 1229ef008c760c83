package postgres

import (
	"errors"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// example is the URL of a database as advice writes it.
const example = "postgres://faxctl@db.example.com/faxctl"

// settings are what the query of a URL may say, by the names of libpq. What is secret
// has no place there, nor what would be a setting of the session.
func settings() []string {
	return []string{
		"host", "port", "user", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "sslnegotiation",
		"channel_binding", "require_auth", "connect_timeout", "application_name", "target_session_attrs",
	}
}

// sslModes are the values of sslmode.
func sslModes() []string {
	return []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
}

// Check refuses a URL that names no database, or that has a password in it, before
// anything is asked. The error is problem.ErrInvalid and does not have the URL in it.
func Check(address string) error {
	_, err := read(address)
	return err
}

// place is the URL of a database, taken apart.
type place struct {
	url   *url.URL
	query url.Values
}

func read(address string) (place, error) {
	refused := func(what string) error {
		return problem.Invalid(problem.Say("write it like "+example), "URL of a database: %s", what)
	}
	if strings.ContainsAny(address, "\x00\r\n\t ") {
		return place{}, refused("there is a blank in it, which is written %20")
	}
	u, err := url.Parse(address)
	if err != nil {
		return place{}, refused("it cannot be read") // the error has the URL in it
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return place{}, refused("it does not begin with postgres://")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return place{}, refused("what follows the ? cannot be read")
	}
	if err := withoutSecrets(u, q); err != nil {
		return place{}, err
	}
	// A password with a ? or # in it ends up there: nothing of the query is told then.
	if u.Fragment != "" || u.Opaque != "" || strings.Contains(u.Path, "@") || u.User == nil && u.Host != "" && strings.Contains(u.RawQuery, "@") {
		return place{}, refused("there is a #, @ or : in it where none belongs")
	}
	for _, key := range slices.Sorted(maps.Keys(q)) {
		switch {
		case !slices.Contains(settings(), key):
			advice := problem.Say("it takes " + text.List(settings(), "and"))
			if meant := text.Meant(key, settings()); meant != "" {
				advice = problem.Say(meant)
			}
			return place{}, problem.Invalid(advice, "URL of a database: it has the setting %s, which is none", text.Quote(key))
		case len(q[key]) > 1:
			return place{}, refused(key + " is said twice")
		case key == "sslmode" && !slices.Contains(sslModes(), q.Get(key)):
			return place{}, problem.Invalid(problem.Say("it is "+text.List(sslModes(), "or")), "sslmode %s", text.Quote(q.Get(key)))
		}
	}
	p := place{u, q}
	switch {
	case len(p.hosts()) == 0:
		return place{}, refused("it names no host")
	case u.User.Username() == "" && q.Get("user") == "":
		return place{}, refused("it names no user")
	case strings.Trim(u.Path, "/") == "" && q.Get("dbname") == "":
		return place{}, refused("it names no database")
	}
	return p, nil
}

// withoutSecrets refuses what others would read: in the list of processes, in logs, in
// the history of a shell.
func withoutSecrets(u *url.URL, q url.Values) error {
	_, has := u.User.Password()
	if named := u.User.Username() + strings.Join(q["user"], ""); has || q.Has("password") || strings.Contains(named, ":") { // %3A is one to all who read it
		return problem.Invalid(problem.Say("leave it out, and set PGPASSWORD, PGPASSWORD_FILE or PGPASSFILE"), "URL of a database: it has a password in it")
	}
	for key, instead := range map[string]string{"sslpassword": "PGSSLPASSWORD", "passfile": "PGPASSFILE"} {
		if q.Has(key) {
			return problem.Invalid(problem.Say("leave it out, and set "+instead), "URL of a database: it has %s in it", key)
		}
	}
	return nil
}

// hosts are the servers of the URL: names, addresses, or folders of sockets.
func (p place) hosts() []string {
	if said := p.query.Get("host"); said != "" {
		return strings.Split(said, ",")
	}
	if p.url.Host == "" {
		return nil
	}
	var all []string
	for one := range strings.SplitSeq(p.url.Host, ",") {
		u := url.URL{Host: one}
		all = append(all, u.Hostname())
	}
	return all
}

// parse has pgx read the URL, with all in it that it would otherwise take from the
// environment. A server is proven to be itself, unless it is on this machine or the URL
// says otherwise.
func (p place) parse(password string) (*pgx.ConnConfig, error) {
	whole, q := *p.url, p.query
	if !q.Has("sslmode") {
		q.Set("sslmode", "verify-full")
		if !q.Has("sslrootcert") && !slices.ContainsFunc(p.hosts(), func(host string) bool { return !here(host) }) {
			q.Set("sslmode", "prefer")
		}
	}
	if !q.Has("target_session_attrs") {
		q.Set("target_session_attrs", "any")
	}
	if !q.Has("port") && p.url.Port() == "" && !strings.Contains(p.url.Host, ",") {
		q.Set("port", "5432")
	}
	whole.RawQuery = q.Encode()
	if password == "" {
		if err := passfile(); err != nil {
			return nil, err
		}
	}
	config, err := pgx.ParseConfigWithOptions(whole.String(), pgx.ParseConfigOptions{ParseConfigOptions: pgconn.ParseConfigOptions{ConnStringAllowedKeys: settings()}})
	if err != nil {
		_, why, found := strings.Cut(err.Error(), "`: ") // before it is the URL
		if !found {
			why = "it cannot be read"
		}
		return nil, problem.Invalid(problem.Say("write it like "+example), "URL of a database: %s", text.Line(why))
	}
	if password != "" {
		config.Password = password
	}
	return config, nil
}

// here reports whether a host is this machine: what goes to it is on no wire.
func here(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// passfile refuses a file of passwords that others can read, which libpq passes over in
// silence.
func passfile() error {
	path := os.Getenv("PGPASSFILE")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil //nolint:nilerr // without a home there is none in it
		}
		path = filepath.Join(home, ".pgpass")
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return nil //nolint:nilerr // what is not there has no password
	}
	return problem.With(problem.Of(problem.ErrAuth, errors.New("password file "+path+" can be read by others")), problem.Say("chmod 0600 "+text.ShellWord(path)))
}

// Mask is the URL of a database as it may be shown: whole where [Check] takes it, since
// then there is no password in it, and otherwise not at all, since one may be anywhere.
func Mask(address string) string {
	if Check(address) != nil {
		return "postgres://[hidden]"
	}
	return text.Line(address)
}
