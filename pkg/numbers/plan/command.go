package plan

import "github.com/faxctl/faxctl/pkg/base/problem"

// Command is the command that configures a number as wanted, for a person to
// paste.
func (w Want) Command(phone string) problem.Invocation {
	c := problem.Command("numbers", "configure").Arg(phone)
	if w.Mode != nil {
		c = c.Set("mode", string(*w.Mode))
	}
	for _, s := range []struct {
		flag  string
		value *string
	}{
		{"fax-url", w.FaxURL}, {"fax-method", w.Method},
		{"fallback-url", w.FallbackURL}, {"fallback-method", w.FallbackMethod},
		{"status-callback", w.StatusCallback}, {"name", w.Name},
	} {
		if s.value != nil {
			c = c.Set(s.flag, *s.value)
		}
	}
	for _, s := range []struct {
		flag string
		on   bool
	}{{"keep-routing", w.KeepRouting}, {"force", w.Force}, {"allow-http", w.AllowHTTP}} {
		if s.on {
			c = c.Switch(s.flag)
		}
	}
	return c
}
