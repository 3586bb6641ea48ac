package machine

import (
	"strings"
	"testing"
)

// register is Register for the time of a test.
func register(t *testing.T, name string, entries ...Entry[int]) *Registry[int] {
	t.Helper()
	before := families
	t.Cleanup(func() { families = before })
	return Register(name, entries)
}

func TestSelectErrors(t *testing.T) {
	r := register(t, "test", Entry[int]{"fast", false, 1}, Entry[int]{"slow", true, 2})
	if r.Kernels != 2 {
		t.Errorf("new registry uses kernels %d, want those of the available entry, 2", r.Kernels)
	}
	err := Select("mmx")
	if err == nil || !strings.Contains(err.Error(), `"mmx" is unknown, want`) {
		t.Errorf("Select(mmx) = %v, want an error that names it and the known ones", err)
	}
	if Selected("test") != "slow" {
		t.Errorf("a failed Select changed the selection to %s", Selected("test"))
	}
	if i, err := r.find("fast"); i >= 0 || err == nil {
		t.Errorf("find(fast) = %v, %v, want an error: it is not available", i, err)
	}
	if err := Select("fast"); err == nil || !strings.Contains(err.Error(), "does not run on this cpu, want slow") {
		t.Errorf("Select(fast) = %v, want an error: it is not available", err)
	}
	if i, err := r.find("other"); i >= 0 || err != nil {
		t.Errorf("find(other) = %v, %v, want unknown without error", i, err)
	}
}

// TestSelectByFirstPart takes the part of a name before its hyphen for the best
// implementation that has it.
func TestSelectByFirstPart(t *testing.T) {
	r := register(t, "test", Entry[int]{"fast-b", false, 1}, Entry[int]{"fast-a", true, 2}, Entry[int]{"fast-c", true, 3}, Entry[int]{"slow", true, 4})
	for name, want := range map[string]int{"fast": 2, "fast-c": 3, "slow": 4} {
		if err := SelectFamily("test", name); err != nil || r.Kernels != want {
			t.Errorf("SelectFamily(%s) = %v and kernels %d, want kernels %d", name, err, r.Kernels, want)
		}
	}
	if err := SelectFamily("test", "fast-b"); err == nil || r.Kernels == 1 {
		t.Errorf("SelectFamily(fast-b) = %v, want an error: it is not available", err)
	}
	if i, err := r.find("fas"); i >= 0 || err != nil {
		t.Errorf("find(fas) = %v, %v, want unknown without error", i, err)
	}
}

// TestSelectFromEnv holds that families follow the variable when they are registered.
func TestSelectFromEnv(t *testing.T) {
	t.Setenv(envName, "slow")
	if r := register(t, "test", Entry[int]{"fast", true, 1}, Entry[int]{"slow", true, 2}); r.Kernels != 2 || EnvError() != nil {
		t.Errorf("with slow, kernels %d and %v", r.Kernels, EnvError())
	}
	t.Setenv(envName, "mmx")
	r := register(t, "test", Entry[int]{"fast", true, 1}, Entry[int]{"slow", true, 2})
	if err := EnvError(); err == nil || !strings.Contains(err.Error(), envName) || r.Kernels != 1 {
		t.Errorf("EnvError with mmx = %v, want an error that names the variable; kernels %d", err, r.Kernels)
	}
	t.Setenv(envName, "")
	if err := EnvError(); err != nil {
		t.Errorf("EnvError without a value = %v", err)
	}
}

// TestSlots holds that each worker of each pool keeps its own memory of a slot.
func TestSlots(t *testing.T) {
	var numbers, others Slot[int]
	p, q := NewPool(2), NewPool(1)
	defer p.Close()
	defer q.Close()
	*numbers.Of(p, 0), *numbers.Of(p, 1), *others.Of(p, 0) = 1, 2, 3
	if *numbers.Of(p, 0) != 1 || *numbers.Of(p, 1) != 2 || *others.Of(p, 0) != 3 || *numbers.Of(q, 0) != 0 {
		t.Error("slots share memory or lose it")
	}
}
