package app

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// ReadDocument reads a PDF or TIFF file, and nothing else.
func ReadDocument(path string) ([]byte, document.Info, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, document.Info{}, problem.Of(problem.ErrInvalid, err)
	}
	info, err := document.Inspect(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, info, problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("%s: %w", path, err)), problem.Say("a fax is a PDF or a TIFF file"))
	}
	return content, info, nil
}

// CompleteDocuments offers the files that may be fax documents.
func CompleteDocuments(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"pdf", "tiff", "tif"}, cobra.ShellCompDirectiveFilterFileExt
}
