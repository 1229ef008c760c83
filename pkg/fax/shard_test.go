package fax_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

func TestShardsAreAll(t *testing.T) {
	for _, count := range []int{1, 2, 3, 5, 16, 1000} {
		sizes := make([]int, count)
		for i := range 20_000 {
			id, in := fmt.Sprintf("FX%032x", i), 0
			for n := range count {
				if (fax.Shard{N: n + 1, Count: count}).Has(id) {
					sizes[n]++
					in++
				}
			}
			if in != 1 {
				t.Fatalf("%s is in %d of %d shards", id, in, count)
			}
		}
		if count > 16 {
			continue
		}
		for n, size := range sizes {
			if share := 20_000 / count; size < share*9/10 || size > share*11/10 {
				t.Errorf("shard %d/%d has %d of 20000", n+1, count, size)
			}
		}
	}
}

// Machines of several versions cut the same work.
func TestShardStays(t *testing.T) {
	for id, n := range map[string]int{"FX0123456789abcdef0123456789abcdef": 1, "0d6b5d0a-1c2e-4b3a-9f00-aaaaaaaaaaaa": 2} {
		for i := range 5 {
			if s := (fax.Shard{N: i + 1, Count: 5}); s.Has(id) != (i+1 == n) {
				t.Errorf("%s in %s: %v", id, s, s.Has(id))
			}
		}
	}
}

func TestParseShard(t *testing.T) {
	for text, want := range map[string]fax.Shard{"1/1": {N: 1, Count: 1}, "2/5": {N: 2, Count: 5}, "5/5": {N: 5, Count: 5}} {
		if got, err := fax.ParseShard(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2", "0/5", "6/5", "2/", "/5", "-1/5", "2/5/7", " 2/5", "+2/5", "02/5", "2/05", "2/0", "1/70000", "a/b"} {
		if got, err := fax.ParseShard(text); !errors.Is(err, problem.ErrInvalid) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{"0/2": "of 2 parts, the first number is 1 to 2", "3/2": "of 2 parts, the first number is 1 to 2", "2/0": "2/5 is the second of five"} {
		if _, err := fax.ParseShard(text); problem.AdviceOf(err).String() != want {
			t.Errorf("%q: %v", text, problem.AdviceOf(err))
		}
	}
	if (fax.Shard{}).String() != "" || (fax.Shard{N: 2, Count: 5}).String() != "2/5" {
		t.Error("it is not written as it is read")
	}
	if !(fax.Shard{}).Has("FX1") {
		t.Error("the zero value is not all")
	}
}
