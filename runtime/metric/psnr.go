package metric

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// MSE returns the mean squared difference over all values. Slices of different
// length, empty ones and values that are NaN or infinite are errors: a network
// that gives such values has no quality.
func MSE(a, b []float32) (float64, error) {
	if len(a) != len(b) {
		return 0, fmt.Errorf("cannot compare %d values with %d, want equally many", len(a), len(b))
	}
	if len(a) == 0 {
		return 0, errors.New("cannot compare empty images")
	}
	sum := 0.0
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += float64(d * d)
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return 0, errors.Join(checkFinite("first", a), checkFinite("second", b))
	}
	return sum / float64(len(a)), nil
}

// checkFinite names the first value that is NaN or infinite.
func checkFinite(which string, values []float32) error {
	for i, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("value %d of the %s image is %g, want a finite number", i, which, v)
		}
	}
	return nil
}

// PSNR returns the peak signal-to-noise ratio in dB for a peak of 1, over all
// pixels and channels: -10 log10(MSE). It is +Inf if a and b are identical. The
// errors are those of [MSE].
func PSNR(a, b []float32) (float64, error) {
	mse, err := MSE(a, b)
	if err != nil {
		return 0, err
	}
	if mse == 0 {
		return math.Inf(1), nil
	}
	return -10 * math.Log10(mse), nil
}

// Agreement returns how faithfully a spiking network follows its ANN: the PSNR
// in dB between their raw outputs, neither clipped nor rounded.
func Agreement(snn, ann []float32) (float64, error) {
	db, err := PSNR(snn, ann)
	if err != nil {
		return 0, fmt.Errorf("agreement of the spiking network with its ANN: %w", err)
	}
	return db, nil
}

// A DB is a value in decibels that JSON can hold: a number where it is finite,
// else the string "inf", "-inf" or "nan", which strconv.ParseFloat and Python's
// float() read.
type DB float64

// MarshalJSON implements [json.Marshaler].
func (d DB) MarshalJSON() ([]byte, error) {
	switch v := float64(d); {
	case math.IsInf(v, 1):
		return []byte(`"inf"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-inf"`), nil
	case math.IsNaN(v):
		return []byte(`"nan"`), nil
	default:
		return json.Marshal(v)
	}
}

// UnmarshalJSON implements [json.Unmarshaler].
func (d *DB) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"inf"`:
		*d = DB(math.Inf(1))
	case `"-inf"`:
		*d = DB(math.Inf(-1))
	case `"nan"`:
		*d = DB(math.NaN())
	default:
		return json.Unmarshal(b, (*float64)(d))
	}
	return nil
}
