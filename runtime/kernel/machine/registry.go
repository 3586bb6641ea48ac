package machine

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

// families are all that have been registered.
var families []family

// A Registry is a family whose kernels are the fields of a K.
type Registry[K any] struct {
	name     string
	Entries  []Entry[K] // best first, the last always available
	selected int
	Kernels  K // of the selected entry
}

// An Entry is one implementation of a registry.
type Entry[K any] struct {
	Name      string
	Available bool
	Kernels   K
}

// Register adds a family with the first available entry selected.
func Register[K any](name string, entries []Entry[K]) *Registry[K] {
	r := &Registry[K]{name: name, Entries: entries}
	families = append(families, r)
	for i, e := range entries {
		if e.Available {
			r.selected, r.Kernels = i, e.Kernels
			break
		}
	}
	return r
}

func (r *Registry[K]) implementations() []Implementation {
	var list []Implementation
	for i, e := range r.Entries {
		list = append(list, Implementation{r.name, e.Name, e.Available, i == r.selected})
	}
	return list
}

func (r *Registry[K]) choose(name string) (known bool, err error) {
	for i, m := range r.implementations() {
		if !m.Answers(name) {
			continue
		}
		known = true
		if m.Available {
			r.selected, r.Kernels = i, r.Entries[i].Kernels
			return true, nil
		}
	}
	if known {
		err = fmt.Errorf("kernel implementation %q of family %s does not run on this cpu, want %s",
			name, r.name, r.Entries[r.selected].Name)
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
