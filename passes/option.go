package passes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Option is one setting that a pass takes, an [OptionOf] some type. In a
// pipeline's text it is written name=value.
type Option interface {
	Name() string
	Default() string // as text
	Doc() string
	parse(text string) Setting
}

// OptionOf is an option whose values are of type T. [Float], [Int], [OneOf],
// [Switch] and [Text] make one; it belongs in the Options of its passes.
type OptionOf[T comparable] struct {
	name, doc string
	def       T
	read      func(string) (T, error)
	ok        func(T) bool
	want      string   // what ok accepts
	words     []string // all values, where they are few
}

// Setting is an option with a value.
type Setting struct {
	option Option
	value  any
	text   string // of the value
	err    error  // why the option refuses it
}

// Name is the option's name.
func (o *OptionOf[T]) Name() string { return o.name }

// Default is the option's value where nothing sets it, as text.
func (o *OptionOf[T]) Default() string { return format(o.def) }

// Doc says what the option does.
func (o *OptionOf[T]) Doc() string { return o.doc }

// Words lists the values of an option made by [OneOf].
func (o *OptionOf[T]) Words() []string { return slices.Clone(o.words) }

// Set is the option with a value, for [Pass.With].
func (o *OptionOf[T]) Set(x T) Setting { return o.setting(x, format(x), nil) }

// Of is the option's value in a run of a pass that declares it.
func (o *OptionOf[T]) Of(c *Context) T {
	if c.step.Pass.option(o.name) != Option(o) {
		panic("passes: " + c.step.Pass.Name + " reads undeclared option " + o.name)
	}
	return o.In(c.step)
}

// In is the option's value in a step.
func (o *OptionOf[T]) In(step Step) T {
	for _, s := range step.Settings {
		if s.option == Option(o) && s.err == nil {
			return s.value.(T)
		}
	}
	return o.def
}

func (o *OptionOf[T]) parse(text string) Setting {
	x, err := o.read(text)
	return o.setting(x, text, err)
}

func (o *OptionOf[T]) setting(x T, text string, err error) Setting {
	s := Setting{option: o, value: x, text: text}
	if err != nil || !o.ok(x) {
		s.err = fmt.Errorf("want %s", o.want)
	}
	return s
}

// format is a value as text; reading it back gives the same value.
func format(x any) string {
	switch x := x.(type) {
	case bool:
		if !x {
			return "off"
		}
		return "on"
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	return fmt.Sprint(x)
}

// Float is an option that takes a number from lo to hi.
func Float(name string, def, lo, hi float64, doc string) *OptionOf[float64] {
	return &OptionOf[float64]{name: name, doc: doc, def: def,
		read: func(s string) (float64, error) { return strconv.ParseFloat(s, 64) },
		ok:   func(x float64) bool { return x >= lo && x <= hi },
		want: fmt.Sprintf("a number from %g to %g", lo, hi)}
}

// Int is an option that takes an integer from lo to hi.
func Int(name string, def, lo, hi int64, doc string) *OptionOf[int64] {
	return &OptionOf[int64]{name: name, doc: doc, def: def,
		read: func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) },
		ok:   func(n int64) bool { return n >= lo && n <= hi },
		want: fmt.Sprintf("an integer from %d to %d", lo, hi)}
}

// Odd is an option that takes an odd number from lo to hi.
func Odd(name string, def, lo, hi int64, doc string) *OptionOf[int64] {
	o := Int(name, def, lo, hi, doc)
	o.ok = func(n int64) bool { return n >= lo && n <= hi && n%2 != 0 }
	o.want = fmt.Sprintf("an odd number from %d to %d", lo, hi)
	return o
}

// OneOf is an option that takes one of the words; the first is its default.
func OneOf[T ~string](name, doc string, words ...T) *OptionOf[T] {
	o := &OptionOf[T]{name: name, doc: doc, def: words[0],
		read: func(s string) (T, error) { return T(s), nil },
		ok:   func(w T) bool { return slices.Contains(words, w) }}
	for _, w := range words {
		o.words = append(o.words, string(w))
	}
	o.want = strings.Join(o.words, " or ")
	return o
}

// Switch is an option that is on or off.
func Switch(name string, def bool, doc string) *OptionOf[bool] {
	return &OptionOf[bool]{name: name, doc: doc, def: def,
		read: func(s string) (bool, error) {
			if s != "on" && s != "off" {
				return false, strconv.ErrSyntax
			}
			return s == "on", nil
		},
		ok: func(bool) bool { return true }, want: "on or off"}
}

// Text is an option that takes any text without commas and braces.
func Text(name, def, doc string) *OptionOf[string] {
	return &OptionOf[string]{name: name, doc: doc, def: def,
		read: func(s string) (string, error) { return s, nil },
		ok:   func(s string) bool { return !strings.ContainsAny(s, ",{}") },
		want: "text without commas and braces"}
}
