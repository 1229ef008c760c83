package s3

import (
	"cmp"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"
	"gopkg.in/ini.v1"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/profile"
)

// amazon is asked where no endpoint is given; the host for a region follows from it.
const amazon = "https://s3.amazonaws.com"

// settings are what AWS tools read from the environment and from their files.
type settings struct {
	getenv func(string) string

	endpoint  *url.URL
	from      string // what says so, as advice names it
	region    string // "": Amazon is asked for it
	pathStyle bool   // the bucket stands in the path, not in the host
	dualStack bool   // hosts of Amazon that have an IPv6 address too
	caBundle  string // a file, "": the authorities of the system

	profile string            // whose keys these are
	keys    map[string]string // of the profile: the configuration file, and over it the credentials file
}

// readSettings reads the environment, then the profile of the files. What is wrong is
// problem.ErrInvalid.
func readSettings(getenv func(string) string) (settings, error) {
	s := settings{getenv: getenv}
	if err := s.readFiles(); err != nil {
		return s, err
	}
	s.region = cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), s.keys["region"])
	s.caBundle = cmp.Or(getenv("AWS_CA_BUNDLE"), s.keys["ca_bundle"])
	var err error
	if s.dualStack, err = s.is("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"); err != nil {
		return s, err
	}
	if err = s.readEndpoint(); err != nil {
		return s, err
	}
	switch style := s.keys["s3.addressing_style"]; style {
	case "", "auto":
		s.pathStyle = !s3utils.IsVirtualHostSupported(*s.endpoint, "bucket")
	case "path", "virtual":
		s.pathStyle = style == "path"
	default:
		return s, problem.Invalid(problem.Say("it is auto, path or virtual"), "addressing_style %s of profile %s", text.Quote(style), text.Quote(s.profile))
	}
	if s.region == "" && !s3utils.IsAmazonEndpoint(*s.endpoint) {
		s.region = "us-east-1" // which servers take that have no regions
	}
	return s, nil
}

// is reads a setting that is on or off, of a variable ("": it has none) or of the profile.
func (s *settings) is(variable, key string) (bool, error) {
	given, from := s.keys[key], key+" of profile "+s.profile
	if variable != "" && s.getenv(variable) != "" {
		given, from = s.getenv(variable), variable
	}
	yes, err := strconv.ParseBool(cmp.Or(given, "false"))
	if err != nil {
		return false, problem.Invalid(problem.Say("it is true or false"), "%s %s", from, text.Quote(given))
	}
	return yes, nil
}

func (s *settings) readEndpoint() error {
	ignored, err := s.is("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")
	if err != nil {
		return err
	}
	fips, err := s.is("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
	if err != nil {
		return err
	}
	given := ""
	if !ignored {
		given, s.from = s.givenEndpoint()
	}
	switch {
	case given != "":
	case fips && s.region == "":
		return problem.Invalid(problem.Say("name it by AWS_REGION"), "use of a FIPS endpoint without a region")
	case fips:
		given, s.from = "https://s3-fips."+s.region+".amazonaws.com", "AWS_REGION"
	default:
		given, s.from = amazon, "AWS_ENDPOINT_URL_S3, which is not set"
	}
	allowHTTP, err := s.is("", "faxctl_allow_http")
	if err == nil {
		s.endpoint, err = parseEndpoint(given, s.from, allowHTTP)
	}
	return err
}

// givenEndpoint is the one that is given, and what gives it.
func (s *settings) givenEndpoint() (given, from string) {
	for _, variable := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"} {
		if given = s.getenv(variable); given != "" {
			return given, variable
		}
	}
	given = cmp.Or(s.keys["services.s3.endpoint_url"], s.keys["endpoint_url"])
	return given, "endpoint_url of profile " + s.profile
}

func parseEndpoint(given, from string, allowHTTP bool) (*url.URL, error) {
	u, err := url.Parse(given)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, problem.Invalid(problem.Say("it is a URL, as in https://minio.example.com:9000"), "endpoint %s of %s", text.Quote(hideUser(given)), text.Line(from))
	case u.User != nil:
		return nil, problem.Invalid(problem.Say("credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role"), "endpoint %s of %s", text.Quote(hideUser(given)), text.Line(from))
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, problem.Invalid(problem.Say("it ends after the host and its port"), "endpoint %s of %s", text.Quote(given), text.Line(from))
	case u.Scheme == "http" && !allowHTTP && !profile.IsLoopback(u.Hostname()):
		return nil, problem.Invalid(problem.Say("use https; in a network that nobody else reads, the line faxctl_allow_http = true of the profile in ~/.aws/config takes it"), "endpoint %s of %s: documents would cross the network readable", text.Quote(given), text.Line(from))
	}
	return origin(u), nil
}

// origin is a server as all who mean it write it: a host has no case, and the port of a
// scheme need not be said.
func origin(u *url.URL) *url.URL {
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":")
	return &url.URL{Scheme: u.Scheme, Host: strings.TrimSuffix(host, ":"+defaultPort(u.Scheme))}
}

// hideUser is a URL that cannot be trusted to be one, without what may be a password.
func hideUser(given string) string {
	if at := strings.LastIndex(given, "@"); at >= 0 {
		return "…" + given[at:]
	}
	return given
}

// readFiles reads what the profile says in the files of AWS tools, which may be missing;
// a profile that was asked for by name may not.
func (s *settings) readFiles() error {
	s.profile, s.keys = cmp.Or(s.getenv("AWS_PROFILE"), s.getenv("AWS_DEFAULT_PROFILE"), "default"), map[string]string{}
	home := filepath.Join(cmp.Or(s.getenv("HOME"), s.getenv("USERPROFILE")), ".aws")
	found := false
	for _, f := range []struct{ path, section string }{
		{cmp.Or(s.getenv("AWS_CONFIG_FILE"), filepath.Join(home, "config")), "profile " + s.profile},
		{cmp.Or(s.getenv("AWS_SHARED_CREDENTIALS_FILE"), filepath.Join(home, "credentials")), s.profile},
	} {
		data, err := os.ReadFile(f.path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && s.profile == "default" {
			continue
		}
		if err != nil {
			return problem.Of(problem.ErrInvalid, err)
		}
		file, err := ini.LoadSources(ini.LoadOptions{AllowNestedValues: true, SkipUnrecognizableLines: true, IgnoreInlineComment: true}, data)
		if err != nil {
			return problem.Invalid(problem.Say("it is written as for the AWS command line"), "file %s", text.Quote(f.path))
		}
		for _, section := range []string{f.section, s.profile} {
			if file.HasSection(section) {
				found = true
				s.take(file, section)
				break
			}
		}
	}
	if !found && s.profile != "default" {
		return problem.Invalid(problem.Say("it stands in ~/.aws/config as [profile NAME], or in ~/.aws/credentials as [NAME]"), "AWS_PROFILE: no profile is named %s", text.Quote(s.profile))
	}
	return nil
}

// take reads a profile, and of the values that it nests, or keeps in a section of services,
// those of s3: "s3.addressing_style", "services.s3.endpoint_url".
func (s *settings) take(file *ini.File, section string) {
	for _, key := range file.Section(section).Keys() {
		s.keys[key.Name()] = key.Value()
		if key.Name() == "s3" {
			s.nested("s3.", key)
		}
	}
	if services := "services " + s.keys["services"]; file.HasSection(services) {
		s.nested("services.s3.", file.Section(services).Key("s3"))
	}
}

func (s *settings) nested(before string, key *ini.Key) {
	for _, line := range key.NestedValues() {
		if name, value, ok := strings.Cut(line, "="); ok {
			s.keys[before+strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
}
