package onnxio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// jsonObject is a JSON object of objects, or one of strings, with its members in order.
type jsonObject struct {
	members []member
	index   map[string]*jsonObject // of the members that are objects; the first of each name
}

// member is one of an object: text where there is no sub.
type member struct {
	name, text string
	sub        *jsonObject
}

// at is the object at a path, nil where there is none.
func (o *jsonObject) at(path []string) *jsonObject {
	for _, name := range path {
		if o = o.index[name]; o == nil {
			return nil
		}
	}
	return o
}

// put makes x the object at a path where there is none.
func (o *jsonObject) put(path []string, x *jsonObject) {
	for i, name := range path {
		sub := o.index[name]
		if sub == nil {
			sub = &jsonObject{}
			if i == len(path)-1 {
				sub = x
			}
			o.add(member{name: name, sub: sub})
		}
		o = sub
	}
}

func (o *jsonObject) add(m member) {
	o.members = append(o.members, m)
	if m.sub == nil {
		return
	}
	if o.index == nil {
		o.index = map[string]*jsonObject{}
	}
	if o.index[m.name] == nil {
		o.index[m.name] = m.sub
	}
}

// flat reports whether no member is an object.
func (o *jsonObject) flat() bool { return o.index == nil }

// equal compares objects of strings.
func (o *jsonObject) equal(x *jsonObject) bool { return slices.Equal(o.members, x.members) }

// leaves iterates over the objects that hold strings, with their paths.
func (o *jsonObject) leaves() iter.Seq2[string, *jsonObject] {
	return func(yield func(string, *jsonObject) bool) { o.walk("", yield) }
}

func (o *jsonObject) walk(path string, yield func(string, *jsonObject) bool) bool {
	if o.flat() {
		return len(o.members) == 0 || yield(path, o)
	}
	for _, m := range o.members {
		if !m.sub.walk(strings.TrimPrefix(path+"/"+m.name, "/"), yield) {
			return false
		}
	}
	return true
}

// String is the object in JSON.
func (o *jsonObject) String() string {
	var b bytes.Buffer
	o.write(&b)
	return b.String()
}

func (o *jsonObject) write(b *bytes.Buffer) {
	b.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			b.WriteByte(',')
		}
		quote(b, m.name)
		b.WriteByte(':')
		if m.sub != nil {
			m.sub.write(b)
		} else {
			quote(b, m.text)
		}
	}
	b.WriteByte('}')
}

// quote writes a JSON string, of UTF-8.
func quote(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)         // a buffer and a string give no error
	b.Truncate(b.Len() - 1) // the encoder ends with a new line
}

// maxLevels bounds the nesting of objects: four for each subgraph, and those of a function.
const maxLevels = 4*maxDepth + 8

var errNoObject = errors.New("want an object of objects, or of strings")

// parseObject reads an object.
func parseObject(s string) (*jsonObject, error) {
	d := json.NewDecoder(strings.NewReader(s))
	if x, err := d.Token(); err != nil {
		return nil, err
	} else if x != json.Delim('{') {
		return nil, errNoObject
	}
	o, err := parseMembers(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more behind the object")
	}
	return o, nil
}

// parseMembers reads an object behind its opening brace.
func parseMembers(d *json.Decoder, level int) (*jsonObject, error) {
	if level > maxLevels {
		return nil, fmt.Errorf("objects are nested deeper than %d", maxLevels)
	}
	o := &jsonObject{}
	for {
		x, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := x.(string)
		if !ok { // the closing brace
			break
		}
		m := member{name: name}
		if x, err = d.Token(); err != nil {
			return nil, err
		}
		switch x := x.(type) {
		case string:
			m.text = x
		case json.Delim:
			if x != '{' {
				return nil, errNoObject
			}
			if m.sub, err = parseMembers(d, level+1); err != nil {
				return nil, err
			}
		default:
			return nil, errNoObject
		}
		o.add(m)
	}
	for _, m := range o.members {
		if !o.flat() && m.sub == nil {
			return nil, errNoObject
		}
	}
	return o, nil
}
