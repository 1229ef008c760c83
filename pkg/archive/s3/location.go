package s3

import (
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Location is where an archive is kept: a bucket, and what its names begin with there.
type Location struct {
	Bucket string
	Prefix string // without a slash at its ends; "" is the whole bucket
}

// IsLocation reports whether somebody means a bucket, or another place of a network, and not a
// folder, rightly written or not: "s3://bucket", "S3:/bucket", "s3//bucket", "gs://bucket".
func IsLocation(s string) bool {
	low := strings.ToLower(s[:min(len(s), len("s3//"))])
	return strings.HasPrefix(low, "s3:") || low == "s3//" || strings.Contains(s, "://")
}

// ParseLocation reads "s3://bucket/prefix". What stands there is taken as it is: nothing
// in it is an escape. The error is problem.ErrInvalid, with advice.
func ParseLocation(s string) (Location, error) {
	rest, yes := strings.CutPrefix(s, "s3://")
	if !yes {
		if strings.Contains(s, "@") { // what is before it may be a password
			s = "…@…"
		}
		return Location{}, refuse(s, problem.Say("a bucket is written s3://bucket, or s3://bucket/prefix"))
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	switch {
	case strings.Contains(bucket, "@"):
		return Location{}, refuse("s3://…@…", problem.Say("credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role, never from a location"))
	case strings.ContainsAny(rest, "?#"):
		return Location{}, refuse(s, problem.Say("a location has no ? and no #: the endpoint comes from AWS_ENDPOINT_URL_S3, the region from AWS_REGION"))
	case bucket == "":
		return Location{}, refuse(s, problem.Say("name the bucket: s3://bucket/prefix"))
	case strings.Contains(bucket, ":"):
		return Location{}, refuse(s, problem.Say("after s3:// stands a bucket; the server comes from AWS_ENDPOINT_URL_S3, as in https://minio.example.com:9000"))
	}
	if err := s3utils.CheckValidBucketNameStrict(bucket); err != nil {
		return Location{}, refuse(s, problem.Say("a bucket has 3 to 63 lower-case letters, digits, dots and hyphens"))
	}
	if prefix = strings.TrimSuffix(prefix, "/"); prefix != "" && !fits(prefix) {
		return Location{}, refuse(s, problem.Say("a prefix is made of names with a slash between them, without . and .. and control characters"))
	}
	return Location{Bucket: bucket, Prefix: prefix}, nil
}

func refuse(s string, a problem.Advice) error {
	return problem.Invalid(a, "location %s", text.Quote(s))
}

// String is the location as it is written.
func (l Location) String() string {
	return strings.TrimSuffix("s3://"+l.Bucket+"/"+l.Prefix, "/")
}

// of is a name there, as messages say it.
func (l Location) of(name string) string { return l.String() + "/" + name }

// key is what the bucket calls a name, or a prefix of names.
func (l Location) key(name string) string {
	if l.Prefix == "" {
		return name
	}
	return l.Prefix + "/" + name
}

// name is the name that a key stands for; false: it belongs to nobody here.
func (l Location) name(key string) (string, bool) {
	name, here := strings.CutPrefix(key, l.key(""))
	return name, here && fits(name)
}
