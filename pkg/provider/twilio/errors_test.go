package twilio

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Every shape in which a provider, or something in front of it, says no.
func TestRefusal(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   fax.APIError
	}{
		"twilio": {
			404, `{"code":20404,"message":"The requested resource was not found","more_info":"https://www.twilio.com/docs/errors/20404","status":404}`,
			fax.APIError{Kind: problem.ErrNotFound, Code: "20404", Message: "The requested resource was not found", MoreInfo: "https://www.twilio.com/docs/errors/20404"},
		},
		"without a code": {
			400, `{"message":"Bad parameter","status":400}`,
			fax.APIError{Kind: problem.ErrInvalid, Message: "Bad parameter"},
		},
		"a code as a string": {
			401, `{"code":"20003","detail":"Your AccountSid or AuthToken was incorrect.","message":"Authentication Error - invalid username","status":401}`,
			fax.APIError{Kind: problem.ErrAuth, Code: "20003", Message: "Authentication Error - invalid username"},
		},
		"detail alone": {
			400, `{"code":21451,"detail":"No such area code"}`,
			fax.APIError{Kind: problem.ErrInvalid, Code: "21451", Message: "No such area code"},
		},
		"details as an object": {
			400, `{"code":70002,"message":null,"details":{"page":"out of range"}}`,
			fax.APIError{Kind: problem.ErrInvalid, Code: "70002", Message: `{"page":"out of range"}`},
		},
		"the other twilio": {
			400, `{"code":20001,"message":"Unknown parameters","httpStatusCode":400,"params":{},"userError":true}`,
			fax.APIError{Kind: problem.ErrInvalid, Code: "20001", Message: "Unknown parameters"},
		},
		"a list of objects": {
			422, `{"errors":[{"type":"validation_error","code":"invalid_parameter","message":"must be a phone number","attribute":"PhoneNumber","url":"https://developer.signalwire.com/errors#invalid_parameter"},{"code":"other","message":"and another"}]}`,
			fax.APIError{Kind: problem.ErrInvalid, Code: "invalid_parameter", Message: "PhoneNumber: must be a phone number; and another", MoreInfo: "https://developer.signalwire.com/errors#invalid_parameter"},
		},
		"a list of strings": {
			422, `{"errors":["Number is not available","Try another"]}`,
			fax.APIError{Kind: problem.ErrInvalid, Message: "Number is not available; Try another"},
		},
		"a bare list":   {400, `["one","two"]`, fax.APIError{Kind: problem.ErrInvalid, Message: "one; two"}},
		"a bare string": {401, `"Unauthorized"`, fax.APIError{Kind: problem.ErrAuth, Message: "Unauthorized"}},
		"the XML of the 2010 API": {
			404, `<?xml version='1.0' encoding='UTF-8'?><TwilioResponse><RestException><Code>20404</Code><Message>Not here</Message><MoreInfo>https://www.twilio.com/docs/errors/20404</MoreInfo><Status>404</Status></RestException></TwilioResponse>`,
			fax.APIError{Kind: problem.ErrUnavailable, Code: "20404", Message: "Not here, in words that are not the API's", MoreInfo: "https://www.twilio.com/docs/errors/20404"},
		},
		"not found, and no code": {
			404, `{"message":"no Route matched with those values"}`,
			fax.APIError{Kind: problem.ErrUnavailable, Message: "no Route matched with those values, in words that are not the API's"},
		},
		"gRPC's": {
			404, `{"code":5,"message":"Not Found","details":[]}`,
			fax.APIError{Kind: problem.ErrUnavailable, Code: "5", Message: "Not Found, in words that are not the API's"},
		},
		"gone, in the API's words": {
			410, `{"code":"20410","message":"Gone"}`,
			fax.APIError{Kind: problem.ErrNotFound, Code: "20410", Message: "Gone"},
		},
		"gone, and nothing": {410, "", fax.APIError{Kind: problem.ErrUnavailable, Message: "gone, in words that are not the API's"}},
		"not found, in text": {
			404, "404 page not found\n",
			fax.APIError{Kind: problem.ErrUnavailable, Message: "not found, in words that are not the API's"},
		},
		"the XML of storage, from the API": {
			404, `<Error><Code>NoSuchKey</Code><Message>No such key</Message></Error>`,
			fax.APIError{Kind: problem.ErrUnavailable, Code: "NoSuchKey", Message: "No such key, in words that are not the API's"},
		},
		"the XML of storage": {
			403, `<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>7200</X-Amz-Expires></Error>`,
			fax.APIError{Kind: problem.ErrAuth, Code: "AccessDenied", Message: "Request has expired"},
		},
		"half an XML":         {403, `<Error><Code>AccessDenied</Code><Mess`, fax.APIError{Kind: problem.ErrAuth, Code: "AccessDenied", Message: "forbidden"}},
		"a web page":          {404, "<!DOCTYPE html>\n<html><title>Nope</title></html>", fax.APIError{Kind: problem.ErrUnavailable, Message: "not found, in words that are not the API's"}},
		"a gateway":           {502, "<html><body>502</body></html>", fax.APIError{Kind: problem.ErrUnavailable, Message: "bad gateway"}},
		"nothing":             {503, "", fax.APIError{Kind: problem.ErrUnavailable, Message: "service unavailable"}},
		"half a JSON":         {500, `{"code":20500,"mess`, fax.APIError{Kind: problem.ErrUnavailable, Message: "internal server error"}},
		"a redirect":          {302, "", fax.APIError{Kind: problem.ErrUnavailable, Message: "found"}},
		"a status of its own": {599, "", fax.APIError{Kind: problem.ErrUnavailable, Message: "no explanation"}},
		"a fax in progress": {
			409, `{"code":"20009","message":"Fax is in progress"}`,
			fax.APIError{Kind: problem.ErrConflict, Code: "20009", Message: "Fax is in progress"},
		},
		"a number that is taken": {
			400, `{"code":21422,"message":"+14155550123 is not available"}`,
			fax.APIError{Kind: problem.ErrConflict, Code: "21422", Message: "+14155550123 is not available"},
		},
		"no funds": {
			402, `{"code":20004,"message":"Insufficient funds","status":402}`,
			fax.APIError{Kind: problem.ErrConflict, Code: "20004", Message: "Insufficient funds"},
		},
		"no funds, without a code":      {402, "", fax.APIError{Kind: problem.ErrConflict, Message: "payment required"}},
		"the code alone says no funds":  {400, `{"code":20004,"message":"Insufficient funds"}`, fax.APIError{Kind: problem.ErrConflict, Code: "20004", Message: "Insufficient funds"}},
		"the same code, a wrong method": {405, `{"code":20004,"message":"Method not allowed"}`, fax.APIError{Kind: problem.ErrInvalid, Code: "20004", Message: "Method not allowed"}},
		"too much at once": {
			429, `{"code":20429,"message":"Too many requests"}`,
			fax.APIError{Kind: problem.ErrUnavailable, Code: "20429", Message: "Too many requests"},
		},
		"control characters and newlines": {
			400, "{\"code\":1,\"message\":\"red \\u001b[31m\\u0007alert\\r\\n now \\u202egnp\"}",
			fax.APIError{Kind: problem.ErrInvalid, Code: "1", Message: "red [31malert now gnp"},
		},
		"errors in errors in errors": {
			400, strings.Repeat(`{"errors":[`, 50) + strings.Repeat(`]}`, 50),
			fax.APIError{Kind: problem.ErrInvalid, Message: "bad request"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusal(test.status, http.Header{"Twilio-Request-Id": {"RQ7"}}, []byte(test.body), false)
			test.want.Status, test.want.RequestID = test.status, "RQ7"
			if diff := cmp.Diff(test.want, *got, cmpopts.EquateErrors(), cmpopts.IgnoreFields(fax.APIError{}, "Advice")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Storage says in XML, with its code, that it has not a document.
func TestStorageRefusal(t *testing.T) {
	for body, want := range map[string]error{
		`<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>`: problem.ErrNotFound,
		`{"code":"20404","message":"gone"}`:                                                 problem.ErrNotFound,
		`<Error><Message>gone</Message></Error>`:                                            problem.ErrUnavailable,
		`<html><code>404</code></html>`:                                                     problem.ErrUnavailable,
		``:                                                                                  problem.ErrUnavailable,
	} {
		if e := refusal(404, nil, []byte(body), true); !errors.Is(e, want) {
			t.Errorf("%s: %v, want %v", body, e.Kind, want)
		}
	}
}

// A message of any length fits on a line or two.
func TestRefusalIsBounded(t *testing.T) {
	e := refusal(400, nil, []byte(`{"message":"`+strings.Repeat("é", 10_000)+`"}`), false)
	if n := len([]rune(e.Message)); n != 300 || !strings.HasSuffix(e.Message, "…") {
		t.Errorf("message of %d runes", n)
	}
}

// Every code with a meaning of its own has a hint that names a command or a
// flag, and the kinds that the interface promises.
func TestCodes(t *testing.T) {
	for code, kind := range map[string]error{
		"20003": problem.ErrAuth, "20008": problem.ErrAuth, "20009": problem.ErrConflict, "20429": problem.ErrUnavailable,
		"21404": problem.ErrConflict, "21421": problem.ErrInvalid, "21422": problem.ErrConflict, "21451": problem.ErrInvalid, "21452": problem.ErrInvalid,
		"21615": problem.ErrConflict, "21631": problem.ErrConflict, "21649": problem.ErrConflict, "22121": problem.ErrConflict, "34005": problem.ErrUnsupported,
	} {
		err := error(refusal(400, nil, []byte(`{"code":`+code+`,"message":"no"}`), false))
		if !errors.Is(err, kind) {
			t.Errorf("%s: %v, want %v", code, err, kind)
		}
		if hint := problem.AdviceOf(err).String(); !strings.Contains(hint, "faxctl") && !strings.Contains(hint, "--") {
			t.Errorf("%s: hint %q", code, hint)
		}
	}
}

// Whatever is sent, the result is one printable line with a kind.
func FuzzRefusal(f *testing.F) {
	for _, seed := range []string{
		``, `{`, `[`, `"`, `{}`, `[[[[["x"]]]]]`, `{"errors":{"errors":["a",{"code":1}]}}`, `{"code":{},"message":[1,"\u0000"]}`,
		`<`, `<a>`, `<Code>1</Code>`, `<Message>&#x1b;[2J</Message>`, "<html>", "\xff\xfe", `{"message":"\ud800"}`,
	} {
		f.Add(400, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := refusal(status, http.Header{"Twilio-Request-Id": {string(body)}}, body, status%2 == 0)
		if e.Kind == nil || e.Message == "" {
			t.Fatalf("kind %v, message %q", e.Kind, e.Message)
		}
		for _, r := range e.Error() + e.MoreInfo {
			if r == '\n' || unicode.IsControl(r) {
				t.Fatalf("%q", e.Error())
			}
		}
		if n := len([]rune(e.Error())); n > 600 {
			t.Fatalf("%d runes", n)
		}
	})
}
