package machine

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// An Implementation is one way to run a family of kernels. Name is what
// SPIKINGIR_KERNEL and [Select] take, whole or up to its hyphen; Available tells
// whether this CPU can run it, Selected whether it is the one in use.
type Implementation struct {
	Family    string `json:"family"`
	Name      string `json:"implementation"`
	Available bool   `json:"available"`
	Selected  bool   `json:"selected"`
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
	// find gives the place of the best available implementation that answers to a name,
	// -1 where none does; the error says that this CPU cannot run it.
	find(name string) (i int, err error)
	use(i int)
}

// families are all that have been registered.
var families []family

// A Registry is a family whose kernels are the fields of a K.
type Registry[K any] struct {
	Name     string
	Entries  []Entry[K] // best first, the last always available
	Kernels  K          // of the selected entry
	selected int
}

// An Entry is one implementation of a registry.
type Entry[K any] struct {
	Name      string
	Available bool
	Kernels   K
}

// Register adds a family, the best entry first. The first available one is selected, or
// the one that SPIKINGIR_KERNEL names. It is for variables of packages: families are
// listed in the order in which packages are initialised.
func Register[K any](name string, entries []Entry[K]) *Registry[K] {
	r := newRegistry(name, entries)
	families = append(families, r)
	if i, err := r.find(os.Getenv(envName)); err == nil && i >= 0 {
		r.use(i)
	}
	return r
}

func newRegistry[K any](name string, entries []Entry[K]) *Registry[K] {
	r := &Registry[K]{Name: name, Entries: entries}
	r.use(slices.IndexFunc(entries, func(e Entry[K]) bool { return e.Available }))
	return r
}

func (r *Registry[K]) implementations() []Implementation {
	var list []Implementation
	for i, e := range r.Entries {
		list = append(list, Implementation{r.Name, e.Name, e.Available, i == r.selected})
	}
	return list
}

func (r *Registry[K]) find(name string) (i int, err error) {
	for i, m := range r.implementations() {
		if !m.Answers(name) {
			continue
		}
		if m.Available {
			return i, nil
		}
		err = fmt.Errorf("kernel implementation %q of family %s does not run on this cpu, want %s",
			name, r.Name, r.Entries[r.selected].Name)
	}
	return -1, err
}

func (r *Registry[K]) use(i int) { r.selected, r.Kernels = i, r.Entries[i].Kernels }

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
	if err := check(name); err != nil {
		return err
	}
	for _, f := range families {
		if i, _ := f.find(name); i >= 0 {
			f.use(i)
		}
	}
	return nil
}

// check tells why no family can use an implementation of a name.
func check(name string) (failed error) {
	for _, f := range families {
		i, err := f.find(name)
		if i >= 0 {
			return nil
		}
		if failed == nil {
			failed = err
		}
	}
	if failed == nil {
		failed = fmt.Errorf("kernel implementation %q is unknown, want %s",
			name, strings.Join(names(), ", "))
	}
	return failed
}

// SelectFamily is Select for one family.
func SelectFamily(family, name string) error {
	for _, f := range families {
		if f.implementations()[0].Family != family {
			continue
		}
		i, err := f.find(name)
		if i >= 0 {
			f.use(i)
			return nil
		}
		if err != nil {
			return err
		}
		return fmt.Errorf("kernel implementation %q of family %s is unknown", name, family)
	}
	return fmt.Errorf("kernel family %q is unknown", family)
}

// names lists the implementations' names, each once.
func names() []string {
	var list []string
	for _, i := range Implementations() {
		if !slices.Contains(list, i.Name) {
			list = append(list, i.Name)
		}
	}
	return list
}

// envName is the variable that overrides the selection at start.
const envName = "SPIKINGIR_KERNEL"

// EnvError tells why SPIKINGIR_KERNEL could not be followed when the program
// started; the best implementation is in use then. It is nil when the variable
// is unset or was followed.
func EnvError() error {
	name := os.Getenv(envName)
	if name == "" {
		return nil
	}
	if err := check(name); err != nil {
		return fmt.Errorf("environment variable %s: %w", envName, err)
	}
	return nil
}
