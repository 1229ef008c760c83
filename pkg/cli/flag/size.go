package flag

import (
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// mostBytes is the largest limit of a document: what is longer is taken to be endless.
const mostBytes = 1 << 30

// Size is a flag of so many bytes, as in 64MiB: from 1 to 1GiB. What to is, is its
// default.
func Size(to *int64) *Value[int64] {
	return SizeOf(to, readSize)
}

// SizeOf is a flag of so many bytes, in the range of the one who reads them.
func SizeOf(to *int64, read func(string) (int64, error)) *Value[int64] {
	v := Of(to, read)
	v.kind, v.text = "size", text.Size(*to)
	return v
}

func readSize(given string) (int64, error) {
	if n := text.ReadSize(given, mostBytes); n != 0 {
		return n, nil
	}
	return 0, problem.Invalid(problem.Say("write it like 64MiB, 20MB or 500000 (bytes), up to 1GiB"), "size %q", given)
}
