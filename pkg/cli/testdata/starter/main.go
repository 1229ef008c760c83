// Command starter runs programs in turn, and prints what each run came to: which
// program, ns from its start to its end, and kB resident at most. It is a program of its
// own since the system counts for a child what its parent had resident.
//
//	starter ROUNDS PROGRAM ARG... , PROGRAM ARG...
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

func main() {
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail(err)
	}
	programs := [][]string{nil}
	for _, arg := range os.Args[2:] {
		if arg == "," {
			programs = append(programs, nil)
			continue
		}
		last := &programs[len(programs)-1]
		*last = append(*last, arg)
	}
	for range rounds {
		for i, p := range programs {
			cmd := exec.Command(p[0], p[1:]...)
			cmd.Stderr = os.Stderr
			start := time.Now()
			if err := cmd.Run(); err != nil {
				fail(fmt.Errorf("%q: %w", p, err))
			}
			took := time.Since(start)
			fmt.Println(i, took.Nanoseconds(), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
