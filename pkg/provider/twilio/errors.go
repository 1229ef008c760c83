package twilio

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// refusal decodes whatever came with a status that is no success: Twilio's
// object, SignalWire's list of objects or of strings, the XML of the 2010 API
// and of storage, the HTML of a gateway, nothing, or half of any of these.
//
// That something is not there is the provider's to say: in JSON with a code, as
// its API does, or, where storage is asked, in XML with one. In any other words
// it proves nothing and is ErrUnavailable, see [foreign].
func refusal(status int, header http.Header, body []byte, storage bool) *fax.APIError {
	var p explanation
	own := false
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0:
	case trimmed[0] == '{', trimmed[0] == '[', trimmed[0] == '"':
		p.readJSON(trimmed, 0)
		own = ownCode(p.code)
	case trimmed[0] == '<' && !isHTML(trimmed):
		p.readXML(trimmed)
		own = storage && ownCode(p.code)
	}
	e := &fax.APIError{
		Kind:      kindOf(status, p.code),
		Status:    status,
		Code:      clean(p.code, 40),
		Message:   clean(p.message, 300),
		MoreInfo:  clean(p.moreInfo, 200),
		RequestID: clean(header.Get("Twilio-Request-Id"), 64),
		Advice:    adviceFor(status, p.code),
	}
	if errors.Is(e.Kind, problem.ErrNotFound) && !own {
		e.Kind, e.Advice = problem.ErrUnavailable, lookBetween()
		e.Message = cmp.Or(e.Message, strings.ToLower(http.StatusText(status))) + ", in words that are not the API's"
	}
	if p.code == faxEnded {
		e.Message = faxEndedMessage()
	} else if e.Message == "" {
		e.Message = cmp.Or(strings.ToLower(http.StatusText(status)), "no explanation")
	}
	return e
}

// ownCode reports whether a code may be the provider's: five digits, or a word. A
// lower number is one of a gateway's own, as gRPC's 5 for "not found".
func ownCode(code string) bool {
	return code != "" && (len(code) == 5 || strings.Trim(code, "0123456789") != "")
}

// foreign reports whether err says that something is not there in words that are
// not the provider's.
func foreign(err error) bool { return fax.Denied(err) && errors.Is(err, problem.ErrUnavailable) }

// explanation is what could be read of an error body.
type explanation struct {
	code, message, moreInfo string
}

// readJSON takes the first code and message it finds. Depth bounds a body that
// nests errors in errors.
func (p *explanation) readJSON(body []byte, depth int) {
	if depth > 3 {
		return
	}
	switch body[0] {
	case '"':
		var s scalar
		if json.Unmarshal(body, &s) == nil {
			p.say(string(s))
		}
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(body, &list) == nil {
			for _, item := range list {
				p.readJSON(item, depth+1)
			}
		}
	case '{':
		var f struct {
			Code      scalar          `json:"code"`
			ErrorCode scalar          `json:"error_code"`
			Attribute scalar          `json:"attribute"`
			Message   scalar          `json:"message"`
			Detail    scalar          `json:"detail"`
			Details   scalar          `json:"details"`
			Title     scalar          `json:"title"`
			Error     scalar          `json:"error"`
			MoreInfo  scalar          `json:"more_info"`
			URL       scalar          `json:"url"`
			Errors    json.RawMessage `json:"errors"`
		}
		if json.Unmarshal(body, &f) != nil {
			return
		}
		p.code = cmp.Or(p.code, string(f.Code), string(f.ErrorCode))
		p.moreInfo = cmp.Or(p.moreInfo, string(f.MoreInfo), string(f.URL))
		message := cmp.Or(string(f.Message), string(f.Detail), string(f.Details), string(f.Title), string(f.Error))
		if message != "" && f.Attribute != "" {
			message = string(f.Attribute) + ": " + message
		}
		p.say(message)
		if len(f.Errors) > 0 {
			p.readJSON(f.Errors, depth+1)
		}
	}
}

// say adds a message; several errors are told one after another.
func (p *explanation) say(message string) {
	switch {
	case message == "", strings.Contains(p.message, message):
	case p.message == "":
		p.message = message
	default:
		p.message += "; " + message
	}
}

// readXML takes the first code and message at any depth, and what it can of a
// document that breaks off.
func (p *explanation) readXML(body []byte) {
	dec := xml.NewDecoder(bytes.NewReader(body))
	dec.Strict = false
	for element := ""; ; {
		token, err := dec.Token()
		if err != nil {
			return
		}
		switch t := token.(type) {
		case xml.StartElement:
			element = t.Name.Local
		case xml.EndElement:
			element = ""
		case xml.CharData:
			switch said := strings.TrimSpace(string(t)); strings.ToLower(element) {
			case "code":
				p.code = cmp.Or(p.code, said)
			case "message", "detail":
				p.message = cmp.Or(p.message, said)
			case "moreinfo":
				p.moreInfo = cmp.Or(p.moreInfo, said)
			}
		}
	}
}

// isHTML reports whether body begins like a web page.
func isHTML(body []byte) bool {
	start := strings.ToLower(string(body[:min(len(body), 200)]))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<head") || strings.HasPrefix(start, "<body")
}

// describe says in a few words what came instead of the API's JSON.
func describe(body []byte, err error) string {
	switch trimmed := bytes.TrimSpace(body); {
	case len(trimmed) == 0:
		return "nothing"
	case isHTML(trimmed):
		return "a web page"
	case trimmed[0] != '{' && trimmed[0] != '[':
		return clean(string(trimmed[:min(len(trimmed), 60)]), 60)
	}
	return clean(err.Error(), 100)
}

// clean makes a provider's words fit for a terminal and a log: one line, no
// control or formatting characters, at most n runes.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.Is(unicode.C, r) {
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}
