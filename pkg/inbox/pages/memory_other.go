//go:build !linux

package pages

// limitMemory does nothing: the limits of another process can only be set on Linux.
func limitMemory(int, uint64) error { return nil }
