package show

import (
	"strconv"

	"github.com/faxctl/faxctl/pkg/inbox/pages"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// PictureType describes a picture of a page.
func PictureType() output.Type[pages.File] {
	return output.Type[pages.File]{
		ID: func(f pages.File) string { return f.Path },
		Columns: []output.Column[pages.File]{
			{Name: "page", Right: true, Value: func(f pages.File) string { return strconv.Itoa(f.Page) }},
			{Name: "path", Value: func(f pages.File) string { return f.Path }, Style: Accent[pages.File], Whole: true},
			{Name: "wide", Right: true, Value: func(f pages.File) string { return strconv.Itoa(f.Wide) }},
			{Name: "high", Right: true, Value: func(f pages.File) string { return strconv.Itoa(f.High) }},
			{Name: "damaged", Value: func(f pages.File) string { return yesNo(&f.Damaged) }},
		},
	}
}
