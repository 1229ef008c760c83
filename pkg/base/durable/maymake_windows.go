package durable

// writable knows nothing here: who may write is not told without trying.
func writable(string) error { return nil }
