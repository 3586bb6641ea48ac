package onnxgo

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// maxElements bounds the tensors that onnx-go allocates for declared types.
const maxElements = 1 << 28

// readHeader decodes the messages of a file and refuses what onnx-go would drop
// or fail on without saying so.
func readHeader(data []byte) (*onnxpb.ModelProto, error) {
	p := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("not an ONNX model: %w", err)
	}
	g := p.Graph
	switch {
	case g == nil:
		return nil, fmt.Errorf("not an ONNX model: it holds no graph")
	case len(p.Functions) > 0:
		return nil, fmt.Errorf("%w: it defines %d functions", ErrUnsupported, len(p.Functions))
	case len(g.SparseInitializer) > 0:
		return nil, fmt.Errorf("%w: it has sparse initializers", ErrUnsupported)
	case len(g.Node) == 0 || len(g.Output) == 0:
		return nil, fmt.Errorf("%w: its graph has no nodes or no outputs", ErrUnsupported)
	}
	for _, n := range g.Node {
		if err := checkNode(n); err != nil {
			return nil, err
		}
	}
	for _, t := range g.Initializer {
		if err := checkTensor(t); err != nil {
			return nil, fmt.Errorf("%w: initializer %q: %v", ErrUnsupported, t.GetName(), err)
		}
	}
	for _, list := range [][]*onnxpb.ValueInfoProto{g.Input, g.ValueInfo, g.Output} {
		for _, v := range list {
			if err := checkDeclared(v); err != nil {
				return nil, fmt.Errorf("%w: value %q: %v", ErrUnsupported, v.GetName(), err)
			}
		}
	}
	return p, nil
}

func checkNode(n *onnxpb.NodeProto) error {
	label := n.GetName()
	if label == "" && len(n.Output) > 0 {
		label = n.Output[0]
	}
	if d := n.GetDomain(); d != "" && d != "ai.onnx" {
		return fmt.Errorf("%w: node %q: operator %s is of domain %q",
			ErrUnsupported, label, n.GetOpType(), d)
	}
	for _, a := range n.Attribute {
		var err error
		switch a.GetType() {
		case onnxpb.AttributeProto_FLOAT, onnxpb.AttributeProto_INT,
			onnxpb.AttributeProto_STRING, onnxpb.AttributeProto_FLOATS,
			onnxpb.AttributeProto_INTS, onnxpb.AttributeProto_STRINGS:
		case onnxpb.AttributeProto_TENSOR:
			err = checkTensor(a.GetT())
		default:
			err = fmt.Errorf("its type is %v", a.GetType())
		}
		if err != nil {
			return fmt.Errorf("%w: node %q (%s): attribute %q: %v",
				ErrUnsupported, label, n.GetOpType(), a.GetName(), err)
		}
	}
	return nil
}

// checkTensor keeps onnx-go from types it reads wrongly and from sizes that it
// would trust.
func checkTensor(t *onnxpb.TensorProto) error {
	switch d := graph.DType(t.GetDataType()); d {
	case graph.Float32, graph.Float64, graph.Int32, graph.Int64:
	default:
		return fmt.Errorf("its elements are %v", d)
	}
	if t.GetDataLocation() == onnxpb.TensorProto_EXTERNAL {
		return fmt.Errorf("its data is external")
	}
	return checkDims(t.Dims, 1)
}

// checkDims wants every dimension at least low and a product that is small.
func checkDims(dims []int64, low int64) error {
	n := int64(1)
	for _, d := range dims {
		if d < low || d > 0 && n > maxElements/d {
			return fmt.Errorf("its dimensions are %v", dims)
		}
		n *= d
	}
	return nil
}

func checkDeclared(v *onnxpb.ValueInfoProto) error {
	if v.Type == nil {
		return nil
	}
	t := v.Type.GetTensorType()
	if t == nil {
		return fmt.Errorf("it is no tensor")
	}
	d := graph.DType(t.GetElemType())
	if !d.Valid() || d == graph.Float16 || d > graph.Complex128 {
		return fmt.Errorf("its elements are %v", d)
	}
	var dims []int64
	for _, d := range t.GetShape().GetDim() {
		if d.DimValue != nil {
			dims = append(dims, *d.DimValue)
		}
	}
	return checkDims(dims, 0)
}

func typeOf(v *onnxpb.ValueInfoProto) graph.Type {
	p := v.GetType().GetTensorType()
	if p == nil {
		return graph.Type{}
	}
	t := graph.TensorOf(graph.DType(p.GetElemType()), nil)
	if p.Shape == nil {
		return t
	}
	t.Shape = graph.Shape{}
	for _, d := range p.Shape.Dim {
		var dim graph.Dim
		if d.DimValue != nil {
			dim = graph.Known(*d.DimValue)
		} else if d.DimParam != nil {
			dim = graph.Symbol(*d.DimParam)
		}
		t.Shape = append(t.Shape, dim)
	}
	return t
}
