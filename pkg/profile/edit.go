package profile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Add saves a new profile. The first profile of a file becomes the current
// one. Errors: problem.ErrConflict when the name is taken, problem.ErrInvalid.
func Add(ctx context.Context, path string, p Profile) error {
	return edit(ctx, path, func(c Config, top *yaml.Node) error {
		if _, taken := c.Profiles[p.Name]; taken {
			return &problem.Error{Kind: problem.ErrConflict, Text: "profile " + p.Name + " is there already",
				Advice: problem.Say("choose another name, or remove it: %s", problem.Command("profile", "remove").Arg(p.Name))}
		}
		if c.Current == "" && len(c.Profiles) == 0 {
			set(top, "current", textNode(p.Name))
		}
		if space, err := NormalizeSpace(p.Space); err == nil {
			p.Space = space
		}
		if err := p.Validate(); err != nil {
			return err
		}
		var settings yaml.Node
		if err := settings.Encode(p); err != nil {
			return err
		}
		set(child(top, "profiles"), p.Name, &settings)
		return nil
	})
}

// Use makes a profile, or a built-in one, the current one. Errors: problem.ErrNotFound.
func Use(ctx context.Context, path, name string) error {
	return edit(ctx, path, func(c Config, top *yaml.Node) error {
		if _, err := c.Find(name); err != nil {
			return err
		}
		set(top, "current", textNode(name))
		return nil
	})
}

// Remove takes a profile out of the file; when it was the current one, none is
// afterwards. Its secret stays where it is, see [Secrets.Delete]. Errors:
// problem.ErrNotFound, problem.ErrInvalid for a built-in profile.
func Remove(ctx context.Context, path, name string) error {
	return edit(ctx, path, func(c Config, top *yaml.Node) error {
		p, err := c.Find(name)
		if err != nil {
			return err
		}
		if p.IsBuiltIn() {
			return &problem.Error{Kind: problem.ErrInvalid, Text: "profile " + name + " is built in and cannot be removed"}
		}
		if c.Current == name {
			unset(top, "current")
		}
		unset(child(top, "profiles"), name)
		return nil
	})
}

// The tree is edited rather than written anew, so that the comments and the
// order of the person who owns the file survive. Empty lines do not.

func textNode(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

// indexOf is the place of key's value in a mapping, or -1.
func indexOf(m *yaml.Node, key string) int {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

func set(m *yaml.Node, key string, v *yaml.Node) {
	i := indexOf(m, key)
	if i < 0 {
		if len(m.Content) == 0 {
			m.Style &^= yaml.FlowStyle // an empty mapping is written {}
		}
		m.Content = append(m.Content, textNode(key), v)
		return
	}
	v.HeadComment, v.LineComment, v.FootComment = m.Content[i].HeadComment, m.Content[i].LineComment, m.Content[i].FootComment
	m.Content[i] = v
}

func unset(m *yaml.Node, key string) {
	if i := indexOf(m, key); i >= 0 {
		m.Content = slices.Delete(m.Content, i-1, i+1)
	}
}

// child is the mapping under key, made when it is missing or null. An alias is
// replaced by a mapping of its own, so that the others keep theirs.
func child(m *yaml.Node, key string) *yaml.Node {
	if i := indexOf(m, key); i >= 0 && m.Content[i].Kind == yaml.MappingNode {
		return m.Content[i]
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if i := indexOf(m, key); i >= 0 && m.Content[i].Kind == yaml.AliasNode {
		n.Content = slices.Clone(m.Content[i].Alias.Content)
	}
	set(m, key, n)
	return n
}

// edit changes the file: alone, from what is in it now, and entirely or not at
// all.
func edit(ctx context.Context, path string, change func(Config, *yaml.Node) error) error {
	// A link is kept, and what it points to is written.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	} else if !errors.Is(err, fs.ErrNotExist) {
		e := &problem.Error{Kind: problem.ErrInvalid, Text: "config file " + path + " cannot be read", Cause: durable.Reason(err)}
		if errors.Is(err, syscall.ENOTDIR) {
			e.Advice = inTheWay(path)
		}
		return e
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &problem.Error{Kind: problem.ErrInvalid, Text: "config file " + path + " is no file, and keeps nothing",
			Advice: problem.Say("set " + ConfigVariable + " to the path of a file")}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return &problem.Error{Kind: problem.ErrInvalid, Text: "config file " + path + " cannot be made", Cause: durable.Reason(err), Advice: inTheWay(path)}
	}
	unlock, err := lock(ctx, path+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	was, err := readConfig(path)
	if err != nil {
		return err
	}
	c, doc, err := parse(path, was)
	if err != nil {
		return err
	}
	if err := change(c, doc.Content[0]); err != nil {
		return err
	}
	now, err := encode(doc)
	if err != nil {
		return err
	}
	// What cannot be read again must not be written.
	if _, _, err := parse(path, now); err != nil {
		return err
	}
	return durable.WriteFile(durable.OS{}, path, now)
}

func encode(doc *yaml.Node) ([]byte, error) {
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	return buf.Bytes(), enc.Close()
}

// lock waits for the lock file, 5 s at most, and returns what releases it.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := durable.Lock(ctx, path, 5*time.Second)
	if errors.Is(err, durable.ErrTaken) {
		return nil, &problem.Error{Kind: problem.ErrConflict, Text: "another faxctl is changing the config file", Advice: problem.Say("run it again in a moment")}
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: "config file " + strings.TrimSuffix(path, ".lock") + " cannot be changed", Cause: durable.Reason(err),
			Advice: problem.Say("a lock is made beside it: let the user " + userName() + " write to its folder, or set " + ConfigVariable)}
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil // closing releases it
}
