package passes

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Arg is one option setting.
type Arg struct{ Name, Value string }

// Args is the option settings of a step, in the order given.
type Args []Arg

// Get gives a setting, "" and false when it is not among the args.
func (as Args) Get(name string) (string, bool) {
	for _, a := range as {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}

// String is the option's value: the setting or the default. It panics on an
// option that the pass does not declare.
func (c *Context) String(name string) string {
	if v, ok := c.step.Args.Get(name); ok {
		return v
	}
	opt := c.step.Pass.option(name)
	if opt == nil {
		panic("passes: " + c.step.Pass.Name + " reads undeclared option " + name)
	}
	return opt.Default
}

// Float is a number option; its Parse must be [Number] or stricter.
func (c *Context) Float(name string) float64 {
	x, err := strconv.ParseFloat(c.String(name), 64)
	if err != nil {
		panic("passes: option " + name + " is not a number")
	}
	return x
}

// Int is a whole number option; its Parse must be [Whole] or stricter.
func (c *Context) Int(name string) int64 {
	n, err := strconv.ParseInt(c.String(name), 10, 64)
	if err != nil {
		panic("passes: option " + name + " is not a whole number")
	}
	return n
}

// Bool is a switch option; its Parse must be [Switch].
func (c *Context) Bool(name string) bool { return c.String(name) == "on" }

// Number accepts a finite number between lo and hi.
func Number(lo, hi float64) func(string) error {
	return func(s string) error {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(x) || x < lo || x > hi {
			return fmt.Errorf("want a number from %g to %g", lo, hi)
		}
		return nil
	}
}

// Whole accepts a whole number between lo and hi.
func Whole(lo, hi int64) func(string) error {
	return func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < lo || n > hi {
			return fmt.Errorf("want a whole number from %d to %d", lo, hi)
		}
		return nil
	}
}

// OneOf accepts the listed words.
func OneOf(words ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("want %s", strings.Join(words, " or "))
		}
		return nil
	}
}

// Switch accepts on and off.
var Switch = OneOf("on", "off")
