package app

import (
	"testing"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]string{
		"64MiB": "64MiB", "64 mib": "64MiB", "1GiB": "1GiB", "2048KiB": "2MiB", "20MB": "20000000B",
		"500kb": "500000B", "1024": "1KiB", "1b": "1B", "1073741824": "1GiB",
		"": "", "0": "", "-1MiB": "", "1.5MiB": "", "2GiB": "", "9223372036854775807GiB": "", "MiB": "", "64M": "", "lots": "",
	} {
		var s byteSize
		err := s.Set(text)
		if (err == nil) != (want != "") || err == nil && s.String() != want {
			t.Errorf("%q is %s, %v; want %q", text, s.String(), err, want)
		}
	}
}
