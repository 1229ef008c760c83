// Command faxctl works with fax numbers and received faxes at Twilio-shaped
// providers.
package main

func main() {}
