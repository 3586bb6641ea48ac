package onnxio

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

var attrFields = fields{nonzero: set(1, 13, 20, 21)}

// content gives the field that holds the value of an attribute of each type.
var content = map[graph.AttrType]protoreflect.FieldNumber{
	graph.AttrFloat: 2, graph.AttrInt: 3, graph.AttrString: 4, graph.AttrTensor: 5,
	graph.AttrGraph: 6, graph.AttrFloats: 7, graph.AttrInts: 8, graph.AttrStrings: 9,
	graph.AttrTensors: 10, graph.AttrGraphs: 11, graph.AttrSparseTensor: 22,
	graph.AttrSparseTensors: 23, graph.AttrTypeProto: 14, graph.AttrTypeProtos: 15,
}

func (d *decoder) attrs(list []*onnxpb.AttributeProto, g *graph.Graph) (graph.Attrs, error) {
	var as graph.Attrs
	given := map[string]bool{}
	for _, p := range list {
		if p.GetName() == "" {
			return nil, errors.New("an attribute has no name")
		}
		if given[p.GetName()] {
			return nil, fmt.Errorf("attribute %q is given twice", p.GetName())
		}
		given[p.GetName()] = true
		a, err := d.attr(p, g)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", p.GetName(), err)
		}
		as = append(as, a)
	}
	return as, nil
}

func (d *decoder) attr(p *onnxpb.AttributeProto, g *graph.Graph) (graph.NamedAttr, error) {
	a := graph.NamedAttr{Name: p.GetName(), Doc: p.GetDocString()}
	t := graph.AttrType(p.GetType())
	var err error
	if t == graph.AttrUndefined {
		if t, err = inferType(p); err != nil {
			return a, err
		}
	}
	f := attrFields
	if ref := p.GetRefAttrName(); ref != "" {
		a.Value = graph.Ref{Name: ref, Type: t}
	} else if t != graph.AttrUndefined {
		f.full = set(content[t])
		if a.Value, err = d.attrValue(t, p, g); err != nil {
			return a, err
		}
	}
	a.Unknown, err = f.rest(p)
	return a, err
}

// inferType finds the type of an attribute without one by the field in use, as
// IR version 1 has it. It is undefined where no field is.
func inferType(p *onnxpb.AttributeProto) (graph.AttrType, error) {
	m := p.ProtoReflect()
	found := graph.AttrUndefined
	for t := graph.AttrFloat; t <= graph.AttrTypeProtos; t++ {
		switch {
		case !m.Has(m.Descriptor().Fields().ByNumber(content[t])):
		case found != graph.AttrUndefined:
			return t, fmt.Errorf("it states no type and holds a value of type %v and one of type %v, want its type", found, t)
		default:
			found = t
		}
	}
	return found, nil
}

func (d *decoder) attrValue(t graph.AttrType, p *onnxpb.AttributeProto, g *graph.Graph) (
	graph.Attr, error,
) {
	switch t {
	case graph.AttrFloat:
		return graph.Float(p.GetF()), nil
	case graph.AttrInt:
		return graph.Int(p.GetI()), nil
	case graph.AttrString:
		return graph.String(p.GetS()), nil
	case graph.AttrFloats:
		return graph.Floats(p.Floats), nil
	case graph.AttrInts:
		return graph.Ints(p.Ints), nil
	case graph.AttrStrings:
		list := graph.Strings{}
		for _, s := range p.Strings {
			list = append(list, string(s))
		}
		return list, nil
	case graph.AttrTensors:
		return each(p.Tensors, graph.Tensors{}, d.tensor)
	case graph.AttrSparseTensors:
		return each(p.SparseTensors, graph.SparseTensors{}, d.sparse)
	case graph.AttrTypeProtos:
		return each(p.TypeProtos, graph.Types{}, rootType)
	case graph.AttrGraphs:
		return each(p.Graphs, graph.Graphs{}, func(q *onnxpb.GraphProto) (*graph.Graph, error) {
			return d.graph(q, g)
		})
	}
	return d.attrMessage(t, p, g)
}

func (d *decoder) attrMessage(t graph.AttrType, p *onnxpb.AttributeProto, g *graph.Graph) (
	graph.Attr, error,
) {
	switch {
	case t == graph.AttrTensor && p.T != nil:
		return d.tensor(p.T)
	case t == graph.AttrSparseTensor && p.SparseTensor != nil:
		return d.sparse(p.SparseTensor)
	case t == graph.AttrTypeProto && p.Tp != nil:
		return rootType(p.Tp)
	case t == graph.AttrGraph && p.G != nil:
		return d.graph(p.G, g)
	}
	return nil, fmt.Errorf("its type is %v but it holds none", t)
}

func rootType(p *onnxpb.TypeProto) (graph.Type, error) { return decodeType(p, 0) }

func each[P, T any, L ~[]T](list []P, into L, decode func(P) (T, error)) (L, error) {
	for i, p := range list {
		x, err := decode(p)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
		into = append(into, x)
	}
	return into, nil
}
