package output

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// values reads records of one kind back, of which there are many, as [decode] does. What
// many of them have in common is there once: nobody may change it. Of 100,000 faxes that
// saves half of the memory.
type values struct {
	items []any
	names map[string]*member
	usual int // members of a record
}

// member is what is known of the members of one name.
type member struct {
	name string
	seen map[string]any // by how it is written; the first few
}

const (
	// mostSeen is how many different values of a member are remembered. What has more is
	// different every time, as an id is.
	mostSeen = 256

	// shallow is how deep objects are looked at member by member: what is in a record, and
	// in what that consists of.
	shallow = 3
)

func (v *values) add(item []byte, err error) error {
	if err != nil {
		return err
	}
	if v.names == nil {
		v.names = map[string]*member{}
	}
	value, err := v.read(item, shallow)
	v.items = append(v.items, value)
	return err
}

// all is the array of what was read, or the single value.
func (v *values) all(single bool) any {
	switch {
	case len(v.items) == 0:
		return []any{}
	case single:
		return v.items[0]
	}
	return v.items
}

func (v *values) read(written []byte, depth int) (any, error) {
	if !utf8.Valid(written) {
		return decode(written)
	}
	d := jx.DecodeBytes(written)
	switch kind := d.Next(); {
	case kind == jx.String && !bytes.ContainsRune(written, '\\'):
		return d.Str()
	case kind != jx.Object || depth == 0:
		return decode(written)
	}
	room := 0
	if depth == shallow {
		room = v.usual
	}
	object := make(map[string]any, room)
	err := d.ObjBytes(func(d *jx.Decoder, name []byte) error {
		value, err := d.Raw()
		if err != nil {
			return err
		}
		m := v.member(name)
		object[m.name], err = v.share(m, value, depth-1)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read JSON back: %w", err)
	}
	if depth == shallow {
		v.usual = len(object)
	}
	return object, nil
}

func (v *values) member(name []byte) *member {
	m := v.names[string(name)]
	if m == nil {
		m = &member{string(name), map[string]any{}}
		v.names[m.name] = m
	}
	return m
}

// share is the value that is written so.
func (v *values) share(m *member, written []byte, depth int) (any, error) {
	if value, known := m.seen[string(written)]; known {
		return value, nil
	}
	value, err := v.read(written, depth)
	if err == nil && len(m.seen) < mostSeen {
		m.seen[string(written)] = value
	}
	return value, err
}
