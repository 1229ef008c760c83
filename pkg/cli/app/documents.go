package app

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// ReadDocument reads a PDF or TIFF file, and nothing else; of [fetch.MaxDocument] bytes at
// most.
func ReadDocument(path string) ([]byte, document.Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, document.Info{}, problem.Of(problem.ErrInvalid, err)
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(io.LimitReader(f, fetch.MaxDocument+1))
	if err != nil {
		return nil, document.Info{}, problem.Of(problem.ErrInvalid, err)
	}
	if len(content) > fetch.MaxDocument {
		return nil, document.Info{}, fmt.Errorf("%w document: %s is longer than %s", problem.ErrInvalid, path, text.Size(fetch.MaxDocument))
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
