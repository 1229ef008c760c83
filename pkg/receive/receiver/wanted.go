package receiver

// wanted decides about a fax by the configured patterns. To reject is stronger.
func (c Config) wanted(from, to string) bool {
	for _, p := range c.Reject {
		if p.Match(from, to) {
			return false
		}
	}
	for _, p := range c.Allow {
		if p.Match(from, to) {
			return true
		}
	}
	return len(c.Allow) == 0
}
