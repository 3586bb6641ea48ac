package graph

import "iter"

// Opset is one imported operator set.
type Opset struct {
	Domain  string
	Version int64
	Unknown []byte // wire bytes of fields not modelled
}

// Model is a whole ONNX model.
type Model struct {
	IRVersion       int64
	ProducerName    string
	ProducerVersion string
	Domain          string
	ModelVersion    int64
	Doc             string
	Opsets          []Opset
	Metadata        Metadata
	Graph           *Graph
	Functions       []*Function
	Unknown         []byte // wire bytes of fields not modelled

	// Source is what the reader keeps of the file the model came from, so that
	// an untouched model is written as the same bytes. Clones share it.
	Source *Source
}

// Source is a file's bytes and the fingerprint of the model read from it.
type Source struct {
	Path        string   // "" when not read from a file
	Bytes       []byte   // the file, kept only where its encoding is not the writer's own
	Fingerprint [32]byte // of the writer's encoding of the model as it was read
	SHA256      [32]byte // of the file

	// Warnings is what is odd about the file but no error.
	Warnings []string
}

// Function is a model-local function: an operator defined by a body of nodes.
type Function struct {
	Domain, Name, Overload string
	Doc                    string
	Attrs                  []string // attributes without a default
	Defaults               Attrs    // attributes with a default
	Opsets                 []Opset
	Metadata               Metadata
	Body                   *Graph // its inputs and outputs have no types
	Unknown                []byte // wire bytes of fields not modelled
}

// Op is the operator that the function defines.
func (f *Function) Op() Op { return Op{f.Domain, f.Name} }

// Opset gives the version of an operator domain that the function imports, 0
// when it does not.
func (f *Function) Opset(domain string) int64 { return opset(f.Opsets, domain) }

// Opset gives the version of an operator domain that the model imports, 0 when
// it does not. "" and "ai.onnx" are the same domain.
func (m *Model) Opset(domain string) int64 { return opset(m.Opsets, domain) }

func opset(list []Opset, domain string) int64 {
	for _, o := range list {
		if canonicalDomain(o.Domain) == canonicalDomain(domain) {
			return o.Version
		}
	}
	return 0
}

// SetOpset imports version v of a domain.
func (m *Model) SetOpset(domain string, v int64) {
	for i, o := range m.Opsets {
		if canonicalDomain(o.Domain) == canonicalDomain(domain) {
			m.Opsets[i].Version = v
			return
		}
	}
	m.Opsets = append(m.Opsets, Opset{Domain: domain, Version: v})
}

func canonicalDomain(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}

// A FunctionIndex finds a model's functions without a walk through them; it knows those
// that the model had when it was made.
type FunctionIndex map[functionKey]*Function

type functionKey struct {
	op       Op
	overload string
}

// FunctionIndex indexes the model's functions, the first of each name.
func (m *Model) FunctionIndex() FunctionIndex {
	x := make(FunctionIndex, len(m.Functions))
	for _, f := range m.Functions {
		if x[f.key()] == nil {
			x[f.key()] = f
		}
	}
	return x
}

func (f *Function) key() functionKey { return functionKey{f.Op(), f.Overload} }

// Of is the function that n calls, nil where its operator is none of them.
func (x FunctionIndex) Of(n *Node) *Function { return x[functionKey{n.op, n.Overload}] }

// Called is the function of f's name and overload, nil where there is none.
func (x FunctionIndex) Called(f *Function) *Function { return x[f.key()] }

// Add adds f and reports whether no function of its name was there.
func (x FunctionIndex) Add(f *Function) bool {
	if x[f.key()] != nil {
		return false
	}
	x[f.key()] = f
	return true
}

// Function finds the model-local function that defines op. Who looks up many takes a
// [FunctionIndex].
func (m *Model) Function(op Op, overload string) *Function {
	for _, f := range m.Functions {
		if f.Domain == op.Domain && f.Name == op.Type && f.Overload == overload {
			return f
		}
	}
	return nil
}

// Graphs iterates over the main graph, its subgraphs and the functions' bodies
// with theirs, outer ones first.
func (m *Model) Graphs() iter.Seq[*Graph] {
	return func(yield func(*Graph) bool) {
		if !walkGraphs(m.Graph, yield) {
			return
		}
		for _, f := range m.Functions {
			if !walkGraphs(f.Body, yield) {
				return
			}
		}
	}
}

func walkGraphs(g *Graph, yield func(*Graph) bool) bool {
	if g == nil {
		return true
	}
	if !yield(g) {
		return false
	}
	for n := range g.Nodes() {
		for _, sub := range n.Subgraphs() {
			if !walkGraphs(sub, yield) {
				return false
			}
		}
	}
	return true
}
