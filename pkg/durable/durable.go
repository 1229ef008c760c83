// Package durable has the two things a file system offers to those who must
// not lose anything and the standard library leaves to the system: a rename
// that lasts, and a lock that ends with its process, however that ends.
//
// Use [SyncDir] as the last step of writing a file that is whole or not there:
// to a temporary name in the same folder, synced, closed, renamed. Use
// [TryLock] where only one process may write. Errors are those of the system.
package durable
