package kernel

import (
	"fmt"
	"os"
	"strings"
)

// An Implementation is one way to run a family of kernels. Name is what
// SPIKINGIR_KERNEL and [Select] take, whole or up to its hyphen; Available tells
// whether this CPU can run it, Selected whether it is the one in use.
type Implementation struct {
	Family    string
	Name      string
	Available bool
	Selected  bool
}

// Answers reports whether a name selects the implementation: its own, or the part
// before a hyphen, by which it shares it with others.
func (i Implementation) Answers(name string) bool {
	base, _, _ := strings.Cut(i.Name, "-")
	return name == i.Name || name == base
}

// A family is a set of kernels that are selected together. Families are
// independent: a CPU may have the best integer kernels without the best float32
// ones.
type family interface {
	implementations() []Implementation
	// choose selects the best available implementation that answers to a name and tells
	// whether the family has one; the error says that this CPU cannot run it.
	choose(name string) (known bool, err error)
}

// families lists every family of the package. Another one is a line here.
var families = []family{float32s, spikes, trains, trainNeurons}

// A registry is a family whose kernels are the fields of a K.
type registry[K any] struct {
	name     string
	entries  []entry[K] // best first, the last always available
	selected int
	kernels  K // of the selected entry
}

// An entry is one implementation of a registry.
type entry[K any] struct {
	name      string
	available bool
	kernels   K
}

// newRegistry returns a registry with the first available entry selected.
func newRegistry[K any](name string, entries []entry[K]) *registry[K] {
	r := &registry[K]{name: name, entries: entries}
	for i, e := range entries {
		if e.available {
			r.selected, r.kernels = i, e.kernels
			break
		}
	}
	return r
}

func (r *registry[K]) implementations() []Implementation {
	var list []Implementation
	for i, e := range r.entries {
		list = append(list, Implementation{r.name, e.name, e.available, i == r.selected})
	}
	return list
}

func (r *registry[K]) choose(name string) (known bool, err error) {
	for i, m := range r.implementations() {
		if !m.Answers(name) {
			continue
		}
		known = true
		if m.Available {
			r.selected, r.kernels = i, r.entries[i].kernels
			return true, nil
		}
	}
	if known {
		err = fmt.Errorf("kernel implementation %q of family %s does not run on this cpu, want %s",
			name, r.name, r.entries[r.selected].name)
	}
	return known, err
}

// Implementations lists all implementations of this build, family by family,
// best first.
func Implementations() []Implementation {
	var list []Implementation
	for _, f := range families {
		list = append(list, f.implementations()...)
	}
	return list
}

// Selected names the implementation in use of a family; empty for a family that
// this build lacks.
func Selected(family string) string {
	for _, i := range Implementations() {
		if i.Family == family && i.Selected {
			return i.Name
		}
	}
	return ""
}

// Select makes every family that has an implementation of the given name use it;
// the others keep theirs, as do those that cannot run theirs on this CPU unless
// none can. It must not be called while kernels run. The results of kernels do not
// depend on it, but for the last bits of those of family "train".
func Select(name string) error {
	found, chosen := false, false
	var failed error
	for _, f := range families {
		known, err := f.choose(name)
		if err != nil && failed == nil {
			failed = err
		}
		found = found || known
		chosen = chosen || known && err == nil
	}
	if !chosen && failed != nil {
		return failed
	}
	if !found {
		return fmt.Errorf("kernel implementation %q is unknown, want %s",
			name, strings.Join(names(), ", "))
	}
	return nil
}

// SelectFamily is Select for one family.
func SelectFamily(family, name string) error {
	for _, f := range families {
		list := f.implementations()
		if list[0].Family != family {
			continue
		}
		if known, err := f.choose(name); known || err != nil {
			return err
		}
		return fmt.Errorf("kernel implementation %q of family %s is unknown", name, family)
	}
	return fmt.Errorf("kernel family %q is unknown", family)
}

// names lists the implementations' names, each once.
func names() []string {
	var list []string
	seen := map[string]bool{}
	for _, i := range Implementations() {
		if !seen[i.Name] {
			seen[i.Name] = true
			list = append(list, i.Name)
		}
	}
	return list
}

// envName is the variable that overrides the selection at start.
const envName = "SPIKINGIR_KERNEL"

var envErr = selectFromEnv()

func selectFromEnv() error {
	name := os.Getenv(envName)
	if name == "" {
		return nil
	}
	if err := Select(name); err != nil {
		return fmt.Errorf("environment variable %s: %w", envName, err)
	}
	return nil
}

// EnvError tells why SPIKINGIR_KERNEL could not be followed when the program
// started; the best implementation is in use then. It is nil when the variable
// is unset or was followed.
func EnvError() error { return envErr }

// float32Kernels are the innermost loops of one implementation. Elementwise
// loops take slices of one length that is a multiple of lanes, or of 64 where
// spikes are involved; the exported functions do the rest with the generic ones.
type float32Kernels struct {
	lanes   int
	convRow func(a *rowArgs, width int)
	// convBand is convRow for bandRows rows of one channel and nine taps, those of
	// three neighbours in each of three rows. directBands tells whether it heeds
	// back, left and right.
	convBand    func(a *rowArgs)
	directBands bool
	// directTails tells that convRow does for wide blocks what the arguments' direct
	// says.
	directTails bool
	// filterIn and filterOut work like filterInGeneric and filterOutGeneric, by vectors
	// of lanes tiles.
	filterIn, filterOut func(a *filterArgs)
	fmaPeak             func(n int) (flops int)

	ifStep           func(spikes []uint64, v, current []float32, bias, threshold, fire float32)
	expandSpikes     func(dst []float32, spikes []uint64, amplitude float32)
	accumulateSpikes func(dst []float32, spikes []uint64, amplitude float32)

	clip                       func(dst, x []float32, low, high float32)
	leakyRelu                  func(dst, x []float32, slope float32)
	add, sub, mul, div         func(dst, x, y []float32)
	addScalar, mulScalar, axpy func(dst, x []float32, a float32)
}

// float32s is the family of all kernels on float32 tensors.
var float32s = newRegistry("float32", append(acceleratedFloat32(), entry[float32Kernels]{
	name: "generic", available: true, kernels: genericFloat32,
}))
