// Command empty does nothing, which takes a Go program some time already.
package main

func main() {}
