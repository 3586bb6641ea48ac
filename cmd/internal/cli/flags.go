package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// FlagError says what is wrong with the flags of a command: what was found, what was wanted,
// and what may have been meant.
func FlagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &bare):
		return fmt.Errorf("--%s stands without a value: %s", bare.GetFlag().Name, bare.GetFlag().Usage)
	case errors.As(err, &bad):
		return fmt.Errorf("--%s %q: %s", bad.GetFlag().Name, bad.GetValue(), wrong(bad.GetFlag(), bad.Unwrap()))
	}
	return err
}

// wrong says what is wrong with a value of a flag.
func wrong(f *pflag.Flag, cause error) string {
	var number *strconv.NumError
	if errors.As(cause, &number) {
		return "want " + wanted(f, number.Err)
	}
	return cause.Error()
}

// wanted is what a flag takes, with an example where there is one. Why is what is wrong with
// what it was given, or nil.
func wanted(f *pflag.Flag, why error) string {
	what, example := "a value", ""
	switch f.Value.Type() {
	case "int":
		what = "a whole number"
	case "uint64":
		what = "a whole number, 0 or more"
	case "float64", "float":
		what = "a number"
	case "bool":
		what = "true or false, or the flag alone"
	case "intSlice":
		what, example = "whole numbers with commas between them", "4,8,16"
	case "float64Slice":
		what, example = "numbers with commas between them", "5,50"
	}
	if x, err := strconv.ParseFloat(f.DefValue, 64); err == nil && x != 0 {
		example = f.DefValue
	}
	if errors.Is(why, strconv.ErrRange) {
		what += " that is not as large"
	}
	if example != "" {
		what += fmt.Sprintf(", such as --%s %s", f.Name, example)
	}
	return what
}

// unknownFlag names the flag that may have been meant, or the commands that have it.
func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	given := "--" + e.GetSpecifiedName()
	var meant []string
	if letters := e.GetSpecifiedShortnames(); letters != "" {
		given = "-" + e.GetSpecifiedName()
		meant = meantByLetters(cmd, e.GetSpecifiedName(), letters)
		if len(letters) > 1 {
			given += " in -" + letters
		}
	} else {
		meant = meantByName(cmd, e.GetSpecifiedName())
	}
	if len(meant) > 0 {
		return fmt.Errorf("unknown flag %s; did you mean %s?", given, strings.Join(meant, " or "))
	}
	var others []string
	for _, c := range cmd.Root().Commands() {
		if f := c.Flags().Lookup(e.GetSpecifiedName()); f != nil && !f.Hidden && e.GetSpecifiedShortnames() == "" {
			others = append(others, c.Name())
		}
	}
	if len(others) > 0 {
		return fmt.Errorf("unknown flag %s of %s; it is a flag of %s", given, cmd.Name(), strings.Join(others, ", "))
	}
	return fmt.Errorf("unknown flag %s; `%s --help` lists the flags", given, cmd.CommandPath())
}

// meantByLetters are the flags that may stand behind one hyphen.
func meantByLetters(cmd *cobra.Command, letter, letters string) []string {
	if len(letters) > 1 {
		name, _, _ := strings.Cut(letters, "=")
		if meant := meantByName(cmd, name); len(meant) > 0 {
			return meant
		}
	}
	for _, other := range []string{strings.ToUpper(letter), strings.ToLower(letter)} {
		if cmd.Flags().ShorthandLookup(other) != nil {
			return []string{"-" + other}
		}
	}
	return nil
}

// meantByName are the flags of a command whose names are nearest to a name, if any is near.
func meantByName(cmd *cobra.Command, name string) []string {
	if len(name) == 1 && cmd.Flags().ShorthandLookup(name) != nil {
		return []string{"-" + name}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	meant := Nearest(name, names)
	for i, m := range meant {
		meant[i] = "--" + m
	}
	return meant
}

// Nearest are those of some names that are nearest to a word: it is the beginning of them, or
// at most two letters have to change, and not more than a third.
func Nearest(word string, names []string) []string {
	word = strings.ToLower(word)
	type candidate struct {
		name string
		far  int
	}
	var list []candidate
	for _, n := range names {
		far := distance(word, n)
		if len(word) >= 3 && strings.HasPrefix(n, word) {
			far = min(far, 1)
		}
		if far <= min(2, max(len(word), len(n))/3) {
			list = append(list, candidate{n, far})
		}
	}
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Or(a.far-b.far, strings.Compare(a.name, b.name)) })
	var nearest []string
	for _, c := range list {
		if c.far == list[0].far {
			nearest = append(nearest, c.name)
		}
	}
	return nearest
}

// distance is how many letters have to be put in, left out, changed or swapped with the next
// to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// UnknownCommand is the error of a command that there is not, nil where there is one.
func UnknownCommand(root *cobra.Command, args []string) error {
	_, _, err := root.Find(args)
	if err == nil {
		return nil
	}
	var name string
	if _, e := fmt.Sscanf(err.Error(), "unknown command %q", &name); e != nil {
		return err
	}
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if meant := Nearest(name, names); len(meant) > 0 {
		return fmt.Errorf("unknown command %q; did you mean %s?", name, strings.Join(meant, " or "))
	}
	return fmt.Errorf("unknown command %q; `%s --help` lists the commands", name, root.Name())
}
