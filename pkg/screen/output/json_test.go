package output_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/faxctl/faxctl/pkg/screen/output"
)

// What is kept until all is there comes out whole and in order, however long an item is.
func TestKeepsAllItems(t *testing.T) {
	var items []line
	for i := range 3000 {
		items = append(items, line{ID: strconv.Itoa(i), Name: strings.Repeat("x", i%400)})
	}
	for i, length := range []int{256<<10 - 1, 256 << 10, 256<<10 + 1, 1 << 20} {
		items[1000+i].Name = strings.Repeat("é", length)
	}
	for _, spec := range []string{"json", "jq=."} {
		var got strings.Builder
		var back []line
		_, err := printed(t.Context(), &got, sequence(items, nil), lineType(), output.Options{Format: format(t, spec)})
		if err == nil {
			err = json.Unmarshal([]byte(got.String()), &back)
		}
		if err != nil || len(back) != len(items) {
			t.Fatalf("%s: %d of %d items: %v", spec, len(back), len(items), err)
		}
		for i := range items {
			if back[i].ID != items[i].ID || back[i].Name != items[i].Name {
				t.Fatalf("%s: item %d is %s, %d bytes", spec, i, back[i].ID, len(back[i].Name))
			}
		}
	}
}
