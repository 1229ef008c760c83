package s3

import (
	"errors"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

func TestParseLocation(t *testing.T) {
	for given, want := range map[string]Location{
		"s3://clinic-faxes":           {"clinic-faxes", ""},
		"s3://clinic-faxes/":          {"clinic-faxes", ""},
		"s3://clinic.faxes/2026/kept": {"clinic.faxes", "2026/kept"},
		"s3://abc/kept/":              {"abc", "kept"},
		"s3://abc/a%2Fb c+d@e:f=ü":    {"abc", "a%2Fb c+d@e:f=ü"},
	} {
		got, err := ParseLocation(given)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", given, got, err, want)
		}
		if again, err := ParseLocation(got.String()); err != nil || again != got {
			t.Errorf("%q is written %q, which is %+v, %v", given, got, again, err)
		}
	}
	for given, hint := range map[string]string{
		"s3:/clinic": "written s3://", "S3://clinic": "written s3://", "s3:clinic": "written s3://", "s3://": "name the bucket", "s3:///x": "name the bucket",
		"s3://key:hunter2@clinic/x": "credentials come from", "s3://clinic?region=x": "no ?", "s3://clinic/x#y": "no ?",
		"s3//clinic": "written s3://", "S3//clinic/x": "written s3://", "https://clinic.example.com/x": "written s3://", "gs://clinic": "written s3://", "s4://x": "written s3://", "://x": "written s3://",
		"https://key:hunter2@clinic/x": "written s3://", "s3:/key:hunter2@clinic": "written s3://", "S3://key:hunter2@clinic": "written s3://",
		"s3://minio.example.com:9000/clinic": "AWS_ENDPOINT_URL_S3", "s3://Clinic": "lower-case", "s3://ab": "3 to 63", "s3://cli_nic": "lower-case", "s3://10.0.0.1/x": "lower-case",
		"s3://clinic/../x": "without . and ..", "s3://clinic/a//b": "without . and ..", "s3://clinic//a": "without . and ..", "s3://clinic/.": "without . and ..", "s3://clinic/a\x1b[2J": "control characters", "s3://clinic/a\xff": "without",
	} {
		_, err := ParseLocation(given)
		if !errors.Is(err, problem.ErrInvalid) || !strings.Contains(problem.AdviceOf(err).String(), hint) {
			t.Errorf("%q: %v, hint %q; want one with %q", given, err, problem.AdviceOf(err), hint)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error shows a secret: %v", given, err)
		}
		if !IsLocation(given) {
			t.Errorf("%q is taken for a folder", given)
		}
	}
	for _, folder := range []string{"kept", "./s3:x", "/srv/s3", "s3", "", "s3/faxes", "s4//x", `C:\faxes`, "a:b//c"} {
		if IsLocation(folder) {
			t.Errorf("%q is taken for a bucket", folder)
		}
	}
}

// A place is known by the server and the location, however the server is written, as it was
// in the notes of earlier versions.
func TestSameIdentity(t *testing.T) {
	const now = "https://minio.example.com s3://clinic/kept"
	for _, before := range []string{now, "https://MinIO.example.com s3://clinic/kept", "https://minio.example.com:443 s3://clinic/kept"} {
		if !SameIdentity(before, now) || !SameIdentity(now, before) {
			t.Errorf("%s is not %s", before, now)
		}
	}
	for _, other := range []string{
		"", "one", "http://minio.example.com s3://clinic/kept", "https://minio.example.com:9000 s3://clinic/kept", "https://minio.example.com:80 s3://clinic/kept",
		"https://minio.example.com s3://clinic/Kept", "https://minio.example.com s3://clinic/kept/2026", "https://minio.example.com",
	} {
		if SameIdentity(other, now) {
			t.Errorf("%s is %s", other, now)
		}
	}
}

// Whatever is taken for a location, is written as it is read, keeps its keys below its
// prefix, and finds them again.
func FuzzLocation(f *testing.F) {
	f.Add("s3://clinic/kept", "2026/FX1.json")
	f.Add("s3://clinic", "../x")
	f.Add("s3://a.b/c/", ".hidden")
	f.Fuzz(func(t *testing.T, given, name string) {
		at, err := ParseLocation(given)
		if err != nil {
			if problem.AdviceOf(err).Empty() {
				t.Errorf("%q is refused without a hint", given)
			}
			return
		}
		if again, err := ParseLocation(at.String()); err != nil || again != at {
			t.Errorf("%q: %+v, and again %+v, %v", given, at, again, err)
		}
		key := at.key(name)
		if !strings.HasPrefix(key, at.Prefix) {
			t.Errorf("%q of %q is %q", name, given, key)
		}
		got, ours := at.name(key)
		if ours != fits(name) || ours && got != name {
			t.Errorf("%q of %q is %q, %v", name, given, got, ours)
		}
	})
}
