package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"spikingir/internal/atomicfile"
	"spikingir/internal/regular"
	"spikingir/runtime/eval"
)

// A Header is what a checkpoint says in words.
type Header struct {
	// Program is the name and version of what wrote the file.
	Program string `json:"program,omitempty"`
	// Model and Data are hashes, in hexadecimal, of the model that training began
	// with and of the training files: a run continues on the same ones only.
	Model string `json:"model_sha256"`
	Data  string `json:"data_sha256"`
	// Settings are the options of the run, in JSON of the caller's making. They
	// are stored without insignificant white space.
	Settings json.RawMessage `json:"settings,omitempty"`
	Position Position        `json:"position"`
	// Best are the figures of the best validation so far, nil before the first.
	Best *Figures `json:"best,omitempty"`
}

// A Position is where a run is.
type Position struct {
	Stage   int     `json:"stage"`   // of the schedule, from 0
	Step    uint64  `json:"step"`    // steps done in this stage
	Total   uint64  `json:"total"`   // steps done in all stages
	Patch   uint64  `json:"patch"`   // number of the next patch
	Seconds float64 `json:"seconds"` // spent training, over all sessions
}

// Figures are what a validation measured. All are finite numbers.
type Figures struct {
	Position   Position `json:"position"`
	Loss       float64  `json:"loss,omitempty"`
	PSNR       float64  `json:"psnr"` // dB
	SSIM       float64  `json:"ssim"`
	FiringRate float64  `json:"firing_rate"` // spikes per neuron and step
	EnergyMJ   float64  `json:"energy_mj"`   // per image
	// Record is the same layer by layer, as the file of the network will state it; nil of an ANN.
	Record *eval.Record `json:"record,omitempty"`
}

// An Array is a named array; exactly one of its slices is not nil.
type Array struct {
	Name    string
	Float32 []float32
	Uint64  []uint64
}

// A Checkpoint is the state of a run. The names of its arrays differ.
type Checkpoint struct {
	Header
	Arrays []Array
}

// ErrLocked says that another process has locked a checkpoint.
var ErrLocked = errors.New("another run is writing it")

// LockName is the name of the file that [Lock] locks another one by.
func LockName(path string) string { return path + ".lock" }

// Write stores c at path. The file appears when it is complete and on disk;
// until then, and when anything fails, the one before stays. Temporary files of
// writers that were killed are removed: only one run may write to a path.
func Write(path string, c *Checkpoint) error {
	err := atomicfile.Sweep(path)
	if err == nil {
		err = atomicfile.Write(path, true, func(w io.Writer) error { return Encode(w, c) })
	}
	if err != nil {
		return fmt.Errorf("write checkpoint %s: %w", path, atomicfile.Cause(err))
	}
	return nil
}

// Read loads the checkpoint at path.
func Read(path string) (*Checkpoint, error) {
	c, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w", path, atomicfile.Cause(err))
	}
	return c, nil
}

func read(path string) (*Checkpoint, error) {
	f, info, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Decode(f, info.Size())
}

// check reports what could not be read back.
func (c *Checkpoint) check() error {
	seen := make(map[string]bool, len(c.Arrays))
	for _, a := range c.Arrays {
		if a.Name == "" || !utf8.ValidString(a.Name) || seen[a.Name] {
			return fmt.Errorf("array name %q is empty, no text or taken twice", a.Name)
		}
		seen[a.Name] = true
		if _, _, err := a.kind(); err != nil {
			return err
		}
	}
	numbers := []float64{c.Position.Seconds}
	if b := c.Best; b != nil {
		numbers = append(numbers, b.Position.Seconds, b.Loss, b.PSNR, b.SSIM, b.FiringRate, b.EnergyMJ)
	}
	for _, v := range numbers {
		if v-v != 0 {
			return fmt.Errorf("a figure of the header is %g, want finite numbers: %+v", v, numbers)
		}
	}
	return nil
}

// widths are the bytes of an element, by the type of its array as the header names it.
var widths = map[string]int64{"float32": 4, "uint64": 8}

// kind returns the type of an array and its length.
func (a *Array) kind() (kind string, n int, err error) {
	switch {
	case a.Float32 != nil && a.Uint64 != nil:
		return "", 0, fmt.Errorf("array %s has 2 kinds of elements, want 1", a.Name)
	case a.Float32 != nil:
		return "float32", len(a.Float32), nil
	case a.Uint64 != nil:
		return "uint64", len(a.Uint64), nil
	}
	return "", 0, fmt.Errorf("array %s has 0 kinds of elements, want 1", a.Name)
}

// elements is what the array holds, as encoding/binary takes it.
func (a *Array) elements() any {
	if a.Float32 != nil {
		return a.Float32
	}
	return a.Uint64
}

// Find returns the array of a name.
func (c *Checkpoint) Find(name string) (Array, error) {
	for _, a := range c.Arrays {
		if a.Name == name {
			return a, nil
		}
	}
	return Array{}, fmt.Errorf("checkpoint has no array %s", name)
}

// Floats copies the float32 array of a name into dst, whose length it must have.
func (c *Checkpoint) Floats(name string, dst []float32) error {
	a, err := c.Find(name)
	if err != nil {
		return err
	}
	kind, n, err := a.kind()
	if err != nil {
		return err
	}
	if kind != "float32" || n != len(dst) {
		return fmt.Errorf("array %s of the checkpoint holds %d values of %s, want %d of float32",
			name, n, kind, len(dst))
	}
	copy(dst, a.Float32)
	return nil
}
