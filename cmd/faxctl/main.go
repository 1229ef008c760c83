// Command faxctl works with fax numbers and received faxes at Twilio-shaped
// providers.
package main

import (
	"os"

	"github.com/faxctl/faxctl/pkg/cli"
)

func main() { os.Exit(cli.Main()) }
