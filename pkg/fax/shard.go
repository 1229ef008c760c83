package fax

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Shard is one of several parts that work on many faxes is cut into, so that several
// machines do it side by side. Each fax is in exactly one shard of a count, which its id
// alone decides: the same on every machine and in every version. The zero value is all
// of the work.
type Shard struct {
	N     int // from 1
	Count int // of all shards
}

// ParseShard reads "2/5", the second of five. Errors are ErrInvalid.
func ParseShard(s string) (Shard, error) {
	first, all, found := strings.Cut(s, "/")
	n, errN := strconv.ParseUint(first, 10, 16)
	count, errCount := strconv.ParseUint(all, 10, 16)
	if found && errN == nil && errCount == nil && count > 0 && (n < 1 || n > count) {
		return Shard{}, problem.Invalid(problem.Say("of %s parts, the first number is 1 to %[1]s", problem.Text(fmt.Sprint(count))), "shard %q", s)
	}
	if !found || errN != nil || errCount != nil || n < 1 || n > count || s != fmt.Sprintf("%d/%d", n, count) {
		return Shard{}, problem.Invalid(problem.Say("2/5 is the second of five"), "shard %q", s)
	}
	return Shard{int(n), int(count)}, nil
}

// String is "2/5"; "" of all.
func (s Shard) String() string {
	if !s.Cuts() {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.N, s.Count)
}

// Cuts reports whether there are other shards.
func (s Shard) Cuts() bool { return s.Count > 1 }

// Has reports whether the fax with this id is in the shard: the one that the remainder
// of the id's FNV-1a hash names.
func (s Shard) Has(id string) bool {
	if !s.Cuts() {
		return true
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id)) // it never fails
	return int(h.Sum64()%uint64(s.Count)) == s.N-1
}
