// Package durable has what those need who must not lose anything, and what the
// standard library leaves to the system: files that are whole or not there,
// names that last, and a lock that ends with its process, however that ends.
//
// Use [WriteFile] for a small file; [Claim] for a large one, which is written over
// time and has a temporary name meanwhile; a [Syncer] where many files are made in few folders; [TryLock] where
// only one process may write. Each is given the [Disk] that it writes to: [OS],
// but in tests of what a loss of power leaves. Errors are those of the system.
package durable
