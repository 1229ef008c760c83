package app

import (
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/fetch"
)

// byteSize is a flag of so many bytes, as in 64MiB.
type byteSize int64

// errNoSize is not shown: [kindOfValue] says what a size is.
var errNoSize = errors.New("no size")

// mostDocument is the largest limit of a document: what is longer is taken to be
// endless.
const mostDocument = 1 << 30

// sizeUnits are the units, the longest first.
func sizeUnits() []struct {
	name  string
	bytes int64
} {
	return []struct {
		name  string
		bytes int64
	}{
		{"gib", 1 << 30}, {"mib", 1 << 20}, {"kib", 1 << 10},
		{"gb", 1e9}, {"mb", 1e6}, {"kb", 1e3}, {"b", 1}, {"", 1},
	}
}

// Set implements pflag.Value.
func (s *byteSize) Set(text string) error {
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, unit := range sizeUnits() {
		number, ok := strings.CutSuffix(lower, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 1 || n > mostDocument/unit.bytes {
			break
		}
		*s = byteSize(n * unit.bytes)
		return nil
	}
	return errNoSize
}

// String implements pflag.Value.
func (s *byteSize) String() string {
	for _, unit := range sizeUnits()[:3] {
		if n := int64(*s); n > 0 && n%unit.bytes == 0 {
			name := strings.ToUpper(unit.name[:1]) + "iB"
			return strconv.FormatInt(n/unit.bytes, 10) + name
		}
	}
	return strconv.FormatInt(int64(*s), 10) + "B"
}

// Type implements pflag.Value.
func (*byteSize) Type() string { return "size" }

// BindMaxDocument binds the limit of a document.
func (a *App) BindMaxDocument(cmd *cobra.Command, most *int64) {
	*most = fetch.MaxDocument
	cmd.Flags().Var((*byteSize)(most), "max-document", "take no document of more than this `size`")
	a.CompleteValues(cmd, "max-document", "16MiB", "64MiB", "256MiB", "1GiB")
}
