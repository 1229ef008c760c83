package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// setting is something of a number that can be set: the name of its parameter,
// of its field in an answer, and what the field says while it is not set.
type setting struct {
	param, field string
	check        func(s *Sandbox, param, value string) error
	missing      any
}

// settings are those that need no thought; the friendly name and the receive
// mode have rules of their own.
func (d dialect) settings() []setting {
	noURL := d.unset
	return []setting{
		{"VoiceUrl", "voice_url", checkURL, noURL},
		{"VoiceMethod", "voice_method", checkMethod, "POST"},
		{"VoiceFallbackUrl", "voice_fallback_url", checkURL, noURL},
		{"VoiceFallbackMethod", "voice_fallback_method", checkMethod, "POST"},
		{"VoiceApplicationSid", "voice_application_sid", checkNothing, noURL},
		{"StatusCallback", "status_callback", checkURL, noURL},
		{"StatusCallbackMethod", "status_callback_method", checkMethod, "POST"},
		{"SmsUrl", "sms_url", checkURL, noURL},
		{"SmsMethod", "sms_method", checkMethod, "POST"},
		{"SmsFallbackUrl", "sms_fallback_url", checkURL, noURL},
		{"SmsFallbackMethod", "sms_fallback_method", checkMethod, "POST"},
		{"SmsApplicationSid", "sms_application_sid", checkNothing, noURL},
		{"TrunkSid", "trunk_sid", checkNothing, nil},
		{"AddressSid", "address_sid", checkNothing, nil},
		{"BundleSid", "bundle_sid", checkNothing, nil},
		{"IdentitySid", "identity_sid", checkNothing, nil},
		{"EmergencyAddressSid", "emergency_address_sid", checkNothing, nil},
		{"EmergencyStatus", "emergency_status", checkNothing, "Inactive"},
	}
}

func checkNothing(*Sandbox, string, string) error { return nil }

func checkURL(s *Sandbox, param, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return s.refuse(21502, "%s is not a valid URL: %s", param, value)
	}
	return nil
}

func checkMethod(s *Sandbox, param, value string) error {
	if value != http.MethodGet && value != http.MethodPost {
		return s.refuse(21403, "%s must be GET or POST, not %q", param, value)
	}
	return nil
}

// maxName is the longest friendly name, in characters.
const maxName = 64

// set carries parameters over to the number. Those not sent leave theirs alone,
// an empty one clears, unknown ones are ignored. Nothing is set when one of
// them is refused.
func (s *Sandbox) set(n *number, form url.Values) error {
	changed := map[string]string{}
	for _, f := range s.settings {
		values, sent := form[f.param]
		if !sent {
			continue
		}
		value := values[0]
		if value != "" {
			if err := f.check(s, f.param, value); err != nil {
				return err
			}
		}
		changed[f.param] = value
	}
	name := s.options.Quirks.named(form.Get("FriendlyName"))
	if utf8.RuneCountInString(name) > maxName {
		return s.refuse(21603, "FriendlyName is longer than %d characters", maxName)
	}
	mode := strings.ToLower(form.Get("VoiceReceiveMode"))
	if mode != "" && mode != "voice" && mode != "fax" {
		return s.refuse(20001, "VoiceReceiveMode must be voice or fax, not %q", mode)
	}

	if _, sent := form["FriendlyName"]; sent {
		n.Name = name
		if name == "" {
			n.Name = friendly(n.Phone)
		}
	}
	// A number that does no fax stays in voice mode, whatever is asked of it.
	if mode == "voice" || mode == "fax" && n.Can.Fax {
		n.Mode = mode
	}
	for param, value := range changed {
		if value == "" {
			delete(n.Set, param)
			continue
		}
		n.Set[param] = value
	}
	return nil
}
