package transport

// What the tests see of what is kept inside.
var (
	Redact     = redact
	PublicOnly = publicOnly
)
