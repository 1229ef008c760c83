package plan

import "strings"

// Command is the faxctl command that configures a number as wanted, for a
// person to paste; "" when nothing is wanted.
func (w Want) Command(phone string) string {
	if w.Empty() {
		return ""
	}
	args := []string{"faxctl numbers configure", phone}
	add := func(flag string, v *string) {
		if v != nil {
			args = append(args, flag, quote(*v))
		}
	}
	if w.Mode != nil {
		mode := string(*w.Mode)
		add("--mode", &mode)
	}
	add("--fax-url", w.FaxURL)
	add("--fax-method", w.Method)
	add("--fallback-url", w.FallbackURL)
	add("--fallback-method", w.FallbackMethod)
	add("--status-callback", w.StatusCallback)
	add("--name", w.Name)
	for _, s := range []struct {
		flag string
		on   bool
	}{{"--keep-routing", w.KeepRouting}, {"--force", w.Force}, {"--allow-http", w.AllowHTTP}} {
		if s.on {
			args = append(args, s.flag)
		}
	}
	return strings.Join(args, " ")
}

// quote makes a word safe to paste into a shell.
func quote(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:+@%,=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !safe(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
