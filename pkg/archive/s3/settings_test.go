package s3

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// env is an environment that is as it says, with a home that has these files below .aws.
func env(t *testing.T, set, files map[string]string) func(string) string {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(home, ".aws", name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string {
		if name == "HOME" {
			return home
		}
		return set[name]
	}
}

func TestSettings(t *testing.T) {
	const config = `
[default]
region = eu-west-1
endpoint_url = https://default.example.com

[profile clinic]
region = eu-central-1
endpoint_url = https://all.example.com
services = local
ca_bundle = /etc/ssl/clinic.pem
s3 =
    addressing_style = virtual
    max_concurrent_requests = 20

[profile plain]
endpoint_url = http://minio:9000
faxctl_allow_http = true

[profile bare]
region = us-west-2

[profile odd]
s3 =
  addressing_style = sideways

[services local]
dynamodb =
  endpoint_url = https://dynamo.example.com
s3 =
  endpoint_url = https://s3.example.com:9000
`
	type m map[string]string
	for name, c := range map[string]struct {
		set      m
		endpoint string
		region   string
		path     bool
		hint     string // of what is refused
	}{
		"nothing":                     {m{"AWS_PROFILE": "bare"}, "https://s3.amazonaws.com", "us-west-2", false, ""},
		"the default profile":         {m{}, "https://default.example.com", "eu-west-1", true, ""},
		"a profile, s3's own":         {m{"AWS_PROFILE": "clinic"}, "https://s3.example.com:9000", "eu-central-1", false, ""},
		"ignored endpoints":           {m{"AWS_PROFILE": "clinic", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "https://s3.amazonaws.com", "eu-central-1", false, ""},
		"variables first":             {m{"AWS_PROFILE": "clinic", "AWS_ENDPOINT_URL": "https://b.example.com", "AWS_ENDPOINT_URL_S3": "https://a.example.com/", "AWS_REGION": "r1", "AWS_DEFAULT_REGION": "r2"}, "https://a.example.com", "r1", false, ""},
		"the other variables":         {m{"AWS_PROFILE": "bare", "AWS_ENDPOINT_URL": "https://b.example.com", "AWS_DEFAULT_REGION": "r2"}, "https://b.example.com", "r2", true, ""},
		"FIPS":                        {m{"AWS_PROFILE": "bare", "AWS_USE_FIPS_ENDPOINT": "true"}, "https://s3-fips.us-west-2.amazonaws.com", "us-west-2", false, ""},
		"http of this machine":        {m{"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"}, "http://127.0.0.1:9000", "eu-west-1", true, ""},
		"http that is told":           {m{"AWS_PROFILE": "plain"}, "http://minio:9000", "us-east-1", true, ""},
		"http":                        {m{"AWS_ENDPOINT_URL": "http://minio:9000"}, "", "", false, "faxctl_allow_http"},
		"http of what seems to be":    {m{"AWS_ENDPOINT_URL": "http://localhost.example.com"}, "", "", false, "use https"},
		"no URL":                      {m{"AWS_ENDPOINT_URL": "minio:9000"}, "", "", false, "it is a URL"},
		"another scheme":              {m{"AWS_ENDPOINT_URL": "ftp://x"}, "", "", false, "it is a URL"},
		"a user in it":                {m{"AWS_ENDPOINT_URL": "https://key:hunter2@x.example.com"}, "", "", false, "credentials come from"},
		"a user in it, and no URL":    {m{"AWS_ENDPOINT_URL": "https://key:hunter2%zz@x.example.com"}, "", "", false, "it is a URL"},
		"a path":                      {m{"AWS_ENDPOINT_URL": "https://x.example.com/s3"}, "", "", false, "after the host"},
		"a profile that is not":       {m{"AWS_PROFILE": "clinick"}, "", "", false, "~/.aws/config"},
		"another style":               {m{"AWS_PROFILE": "odd"}, "", "", false, "auto, path or virtual"},
		"neither true nor false":      {m{"AWS_USE_FIPS_ENDPOINT": "perhaps"}, "", "", false, "true or false"},
		"FIPS without a region":       {m{"AWS_PROFILE": "odd", "AWS_USE_FIPS_ENDPOINT": "true"}, "", "", false, "AWS_REGION"},
		"Amazon's, named":             {m{"AWS_ENDPOINT_URL": "https://s3.eu-north-1.amazonaws.com", "AWS_REGION": "eu-north-1"}, "https://s3.eu-north-1.amazonaws.com", "eu-north-1", false, ""},
		"upper case":                  {m{"AWS_ENDPOINT_URL": "HTTPS://MinIO.Example.com:9000/"}, "https://minio.example.com:9000", "eu-west-1", true, ""},
		"the port of https":           {m{"AWS_ENDPOINT_URL": "https://minio.example.com:443"}, "https://minio.example.com", "eu-west-1", true, ""},
		"the port of http":            {m{"AWS_ENDPOINT_URL": "http://[::1]:80/"}, "http://[::1]", "eu-west-1", true, ""},
		"a port that is no default":   {m{"AWS_ENDPOINT_URL": "https://minio.example.com:80"}, "https://minio.example.com:80", "eu-west-1", true, ""},
		"AWS_DEFAULT_PROFILE as well": {m{"AWS_DEFAULT_PROFILE": "bare"}, "https://s3.amazonaws.com", "us-west-2", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readSettings(env(t, c.set, m{"config": config}))
			if c.hint != "" {
				if !errors.Is(err, problem.ErrInvalid) || !strings.Contains(problem.AdviceOf(err).String(), c.hint) {
					t.Errorf("%v, hint %q; want one with %q", err, problem.AdviceOf(err), c.hint)
				}
				if err != nil && strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the error shows a secret: %v", err)
				}
				return
			}
			if err != nil || got.endpoint.String() != c.endpoint || got.region != c.region || got.pathStyle != c.path {
				t.Errorf("%v, %s, %v, %v; want %s, %s, %v", got.endpoint, got.region, got.pathStyle, err, c.endpoint, c.region, c.path)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	files := map[string]string{
		"credentials": "[default]\naws_access_key_id = d1\naws_secret_access_key = d2\n[clinic]\naws_access_key_id = c1\naws_secret_access_key = c2\naws_session_token = c3\n[half]\naws_access_key_id = h1\n",
		"config":      "[profile clinic]\naws_access_key_id = overridden\nregion = eu-central-1\n[profile assumes]\nrole_arn = arn:x\nsource_profile = clinic\n[profile none]\nregion = r\n",
	}
	type m map[string]string
	for name, c := range map[string]struct {
		set  m
		want string // id, secret, token
		hint string
	}{
		"variables":              {m{"AWS_ACCESS_KEY_ID": "1", "AWS_SECRET_ACCESS_KEY": "2", "AWS_SESSION_TOKEN": "3", "AWS_PROFILE": "clinic"}, "1 2 3", ""},
		"half of them":           {m{"AWS_ACCESS_KEY_ID": "1"}, "", "set both"},
		"the default":            {m{}, "d1 d2 ", ""},
		"a profile":              {m{"AWS_PROFILE": "clinic"}, "c1 c2 c3", ""},
		"half of a profile":      {m{"AWS_PROFILE": "half"}, "", "or neither"},
		"a role of another":      {m{"AWS_PROFILE": "assumes"}, "", "credential_process"},
		"none":                   {m{"AWS_PROFILE": "none", "AWS_EC2_METADATA_DISABLED": "true"}, "", "set AWS_ACCESS_KEY_ID"},
		"a container's, far off": {m{"AWS_PROFILE": "none", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/keys"}, "", "address of this machine"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := readSettings(env(t, c.set, files))
			if err != nil {
				t.Fatal(err)
			}
			keys, err := set.credentials(http.DefaultTransport)
			if c.hint != "" {
				if err == nil || !strings.Contains(problem.AdviceOf(err).String(), c.hint) {
					t.Errorf("%v, hint %q; want one with %q", err, problem.AdviceOf(err), c.hint)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v, err := keys.GetWithContext(nil)
			if got := v.AccessKeyID + " " + v.SecretAccessKey + " " + v.SessionToken; err != nil || got != c.want {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// roles is a machine and a token service that give keys.
func roles(t *testing.T) string {
	mux := http.NewServeMux()
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
	}
	keys := `{"Code":"Success","AccessKeyId":"r1","SecretAccessKey":"r2","Token":"r3","Expiration":"` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}`
	mux.HandleFunc("PUT /latest/api/token", answer("token"))
	mux.HandleFunc("GET /latest/meta-data/iam/security-credentials/", answer("faxes"))
	mux.HandleFunc("GET /latest/meta-data/iam/security-credentials/faxes", answer(keys))
	mux.HandleFunc("GET /container", answer(keys))
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("WebIdentityToken") != "from a file" || r.FormValue("RoleArn") != "arn:role" || r.FormValue("RoleSessionName") != "me" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		answer(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>`+
			`<AccessKeyId>r1</AccessKeyId><SecretAccessKey>r2</SecretAccessKey><SessionToken>r3</SessionToken><Expiration>`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+
			`</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`)(w, r)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// Keys come from a role, where there are no others: of a machine, of a container, of a pod.
func TestRoles(t *testing.T) {
	at := roles(t)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]map[string]string{
		"machine":      {"AWS_EC2_METADATA_SERVICE_ENDPOINT": at},
		"container":    {"AWS_CONTAINER_CREDENTIALS_FULL_URI": at + "/container"},
		"web identity": {"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:role", "AWS_ROLE_SESSION_NAME": "me", "AWS_ENDPOINT_URL_STS": at},
	} {
		t.Run(name, func(t *testing.T) {
			for name, value := range set {
				if name != "AWS_WEB_IDENTITY_TOKEN_FILE" { // which would stand before all others
					t.Setenv(name, value) // the client's own providers read it
				}
			}
			s, err := readSettings(env(t, set, nil))
			if err != nil {
				t.Fatal(err)
			}
			keys, err := s.credentials(http.DefaultTransport)
			if err != nil {
				t.Fatal(err)
			}
			if v, err := keys.GetWithContext(nil); err != nil || v.AccessKeyID != "r1" || v.SecretAccessKey != "r2" || v.SessionToken != "r3" {
				t.Errorf("got %q %q %q, %v", v.AccessKeyID, v.SecretAccessKey, v.SessionToken, err)
			}
		})
	}
	set := map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"}
	_, err := Open(t.Context(), "s3://clinic", Options{Getenv: env(t, set, nil)})
	if !errors.Is(err, problem.ErrAuth) || !strings.Contains(problem.AdviceOf(err).String(), "AWS_ACCESS_KEY_ID") {
		t.Errorf("of no role: %v", err)
	}
}

func TestFromEnvironment(t *testing.T) {
	type m map[string]string
	for name, c := range map[string]struct {
		set  m
		want Options
		hint string
	}{
		"nothing":         {m{}, Options{}, ""},
		"all":             {m{"FAXCTL_S3_ENCRYPTION": "aws:kms:arn:aws:kms:eu:1:key/2", "FAXCTL_S3_RETENTION": "7y", "FAXCTL_S3_RETENTION_MODE": "compliance"}, Options{Encryption: Encryption{"aws:kms", "arn:aws:kms:eu:1:key/2"}, Retention: 7 * 366 * 24 * time.Hour, Compliance: true}, ""},
		"SSE-S3":          {m{"FAXCTL_S3_ENCRYPTION": "AES256"}, Options{Encryption: Encryption{"AES256", ""}}, ""},
		"KMS":             {m{"FAXCTL_S3_ENCRYPTION": "aws:kms"}, Options{Encryption: Encryption{"aws:kms", ""}}, ""},
		"no encryption":   {m{"FAXCTL_S3_ENCRYPTION": "yes"}, Options{}, "AES256"},
		"no length":       {m{"FAXCTL_S3_RETENTION": "long"}, Options{}, "7y"},
		"too short":       {m{"FAXCTL_S3_RETENTION": "6m"}, Options{}, "6mo"},
		"no mode":         {m{"FAXCTL_S3_RETENTION": "7y", "FAXCTL_S3_RETENTION_MODE": "strict"}, Options{}, "governance"},
		"mode of nothing": {m{"FAXCTL_S3_RETENTION_MODE": "compliance"}, Options{}, "FAXCTL_S3_RETENTION"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := FromEnvironment(func(name string) string { return c.set[name] })
			if c.hint != "" {
				if !errors.Is(err, problem.ErrInvalid) || !strings.Contains(problem.AdviceOf(err).String(), c.hint) {
					t.Errorf("%v, hint %q; want one with %q", err, problem.AdviceOf(err), c.hint)
				}
				return
			}
			if err != nil || got.Encryption != c.want.Encryption || got.Retention != c.want.Retention || got.Compliance != c.want.Compliance {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
