package server

import "math"

// openFiles is how many files the process may have open.
func openFiles() uint64 { return math.MaxInt64 }
