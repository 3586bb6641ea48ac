package dataset

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseTask reads "kind" or "kind{key=value,...}" with the keys sigma, scale,
// input, crop, channels and truth, as [Task.String] writes them, and checks the result.
func ParseTask(text string) (Task, error) {
	kind, rest, braces := strings.Cut(text, "{")
	t := Task{Kind: Kind(kind)}
	if braces {
		body, ok := strings.CutSuffix(rest, "}")
		if !ok {
			return Task{}, fmt.Errorf("task %q does not end in a closing brace", text)
		}
		for field := range strings.SplitSeq(body, ",") {
			if err := t.set(field); err != nil {
				return Task{}, fmt.Errorf("task %q: %w", text, err)
			}
		}
	}
	if err := t.Check(); err != nil {
		return Task{}, err
	}
	return t, nil
}

// set takes a field, key=value.
func (t *Task) set(field string) (err error) {
	key, value, _ := strings.Cut(field, "=")
	switch key {
	case "sigma":
		t.Sigma, err = strconv.ParseFloat(value, 64)
	case "scale":
		t.Scale, err = strconv.Atoi(value)
	case "channels":
		t.Channels, err = strconv.Atoi(value)
	case "truth":
		t.Truth, err = strconv.Atoi(value)
	case "input":
		t.Input = value
	case "crop":
		t.Crop = value
	default:
		return fmt.Errorf("unknown key %q, want sigma, scale, input, crop, channels or truth", key)
	}
	if err != nil {
		return fmt.Errorf("value of %s is %q, want a number", key, value)
	}
	return nil
}
