// Package durable has the two things a file system offers to those who must
// not lose anything and the standard library leaves to the system: a rename
// that lasts, and a lock that ends with its process, however that ends.
package durable

// A file is written so that it is whole or not there: to a temporary name in
// the same folder, synced, closed, renamed, and then SyncDir.
