// Inspect looks at one file in a process of its own, and tells what that took:
// the bytes of memory it ever had, and the CPU time is its parent's to read.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/faxctl/faxctl/pkg/archive/document"
)

func main() {
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	st, err := f.Stat()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	info, err := document.Inspect(f, st.Size())
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("%d %d pages, %q, %v\n", m.Sys, info.Pages, info.Uncounted, err)
}
