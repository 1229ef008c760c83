package show

import (
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// SentType describes a mail that was handed in, or was not.
func SentType() output.Type[mail.Sent] {
	return output.Type[mail.Sent]{
		ID: func(s mail.Sent) string { return s.MessageID },
		Columns: []output.Column[mail.Sent]{
			{Name: "address", Value: func(s mail.Sent) string { return s.Address }, Style: Accent[mail.Sent], Whole: true},
			{Name: "result", Value: func(s mail.Sent) string { return string(s.Result) }, Style: func(s mail.Sent) output.Style {
				if s.Result == mail.Taken {
					return output.Good
				}
				return output.Warn
			}},
			{Name: "answer", Value: func(s mail.Sent) string { return s.Answer }},
			{Name: "message_id", Value: func(s mail.Sent) string { return s.MessageID }, Whole: true},
		},
	}
}

// MessageType describes a mail that would be sent.
func MessageType() output.Type[mail.Message] {
	return output.Type[mail.Message]{
		ID: func(m mail.Message) string { return m.ID },
		Columns: []output.Column[mail.Message]{
			{Name: "to", Value: func(m mail.Message) string { return m.To }, Style: Accent[mail.Message], Whole: true},
			{Name: "from", Value: func(m mail.Message) string { return m.From }},
			{Name: "subject", Value: func(m mail.Message) string { return m.Subject }},
			{Name: "parts", Value: func(m mail.Message) string {
				names := make([]string, len(m.Parts))
				for i, p := range m.Parts {
					names[i] = p.Name
				}
				return strings.Join(names, " ")
			}},
			{Name: "size", Right: true, Value: func(m mail.Message) string { return strconv.Itoa(m.Size) }},
			{Name: "message_id", Value: func(m mail.Message) string { return m.ID }, Whole: true},
			{Name: "body", Value: func(m mail.Message) string { return m.Body }, Wide: true},
		},
	}
}
