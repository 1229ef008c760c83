package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlPrinter writes each item as a list of one: one below the other they are
// one list.
func yamlPrinter[T any](w io.Writer, encode encoder[T], single bool) printer[T] {
	empty := !single
	return printer[T]{
		item: func(v T) error {
			empty = false
			b, err := encode(v)
			if err != nil {
				return err
			}
			node, err := yamlNode(b)
			if err != nil {
				return err
			}
			if !single {
				node = &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{node}}
			}
			var buf bytes.Buffer
			enc := yaml.NewEncoder(&buf)
			enc.SetIndent(2)
			if err := errors.Join(enc.Encode(node), enc.Close()); err != nil {
				return fmt.Errorf("encode as YAML: %w", err)
			}
			_, err = w.Write(escape(buf.Bytes()))
			return err
		},
		end: func() ([]string, error) {
			if !empty {
				return nil, nil
			}
			_, err := io.WriteString(w, "[]\n")
			return nil, err
		},
	}
}

// yamlNode turns JSON into YAML with the fields in the same order.
func yamlNode(b []byte) (*yaml.Node, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	node, err := nextNode(dec)
	if err != nil {
		return nil, fmt.Errorf("read JSON for YAML: %w", err)
	}
	return node, nil
}

func nextNode(dec *json.Decoder) (*yaml.Node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: fmt.Sprint(v)}, nil
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: v.String()}, nil
	case string:
		return textNode(v), nil
	}
	node := &yaml.Node{Kind: yaml.SequenceNode}
	if token == json.Delim('{') {
		node.Kind = yaml.MappingNode
	}
	for dec.More() { // in an object, names and values take turns
		child, err := nextNode(dec)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, child)
	}
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle
	}
	_, err = dec.Token()
	return node, err
}

// textNode is a string that every reader takes for one: what could be a
// number, a date, or a truth to YAML 1.1 or 1.2 is quoted, +14155550123 and
// "no" among them, and so is everything that is not ASCII.
func textNode(s string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if !isWord(s) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// isWord: begins with a letter, goes on with letters, digits, inner spaces and
// the signs of a path, and is no word of YAML's own.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		inner := '0' <= c && c <= '9' || strings.IndexByte("_-./ ", c) >= 0
		if !letter && (i == 0 || !inner) {
			return false
		}
	}
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return s[len(s)-1] != ' '
}
