package spikingir

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"spikingir/graph"
	"spikingir/runtime/eval"
	"spikingir/runtime/ops"
)

// fedWith is what the inputs beside the image are fed: what is given, and for the rest what
// the model states, which is told apart.
func fedWith(m *Model, given map[string]Feed) (all, stated map[string]Feed) {
	all, stated = map[string]Feed{}, map[string]Feed{}
	maps.Copy(all, given)
	for _, v := range m.Graph.Inputs() {
		text, ok := m.Metadata.Get(graph.MetaInput + v.Name())
		if _, has := all[v.Name()]; has || !ok {
			continue
		}
		switch x, err := strconv.ParseFloat(text, 64); {
		case v.Const != nil:
			if t, err := ops.FromGraph(v.Const); err == nil {
				stated[v.Name()] = Feed{Tensor: t}
			}
		case err == nil:
			all[v.Name()] = Feed{Number: x}
			stated[v.Name()] = all[v.Name()]
		}
	}
	return all, stated
}

// StatedFeeds is what a converted model states that its inputs beside the image were fed.
func StatedFeeds(m *Model) map[string]Feed {
	_, stated := fedWith(m, nil)
	return stated
}

// storeFeeds gives the inputs beside the image the values that the model was converted
// with: stored ones, ONNX's defaults, where their size does not follow the image's.
// The metadata name them.
func storeFeeds(m *Model, feeds map[string]Feed) error {
	if len(feeds) == 0 {
		return nil
	}
	if _, err := eval.Bind(m.Graph, feeds, ""); err != nil {
		return unsupported(err)
	}
	for _, name := range slices.Sorted(maps.Keys(feeds)) {
		m.Metadata.Set(graph.MetaInput+name, DescribeFeed(feeds[name]))
	}
	return nil
}

// DescribeFeed is a feed in words: its number, or the type of its tensor and the number that
// all of it is.
func DescribeFeed(f Feed) string {
	t := f.Tensor
	if t == nil {
		return strconv.FormatFloat(f.Number, 'g', -1, 64)
	}
	if len(t.F32) > 0 && !slices.ContainsFunc(t.F32, func(x float32) bool { return x != t.F32[0] }) {
		return strconv.FormatFloat(float64(t.F32[0]), 'g', -1, 32)
	}
	if len(t.I64) > 0 && !slices.ContainsFunc(t.I64, func(x int64) bool { return x != t.I64[0] }) {
		return strconv.FormatInt(t.I64[0], 10)
	}
	return fmt.Sprintf("%v[%s]", t.DType, strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Dims), " ", ","), "[]"))
}

// override gives inputs with a stored value the one that they are fed in its place, before
// they become constants, and gives the feeds of the others.
func override(m *Model, feeds map[string]Feed) (others map[string]Feed, err error) {
	var stored []*graph.Value
	others = maps.Clone(feeds)
	for _, v := range m.Graph.Inputs() {
		if _, fed := feeds[v.Name()]; fed && v.IsInitializer() {
			stored = append(stored, v)
			delete(others, v.Name())
		}
	}
	if stored == nil {
		return others, nil
	}
	probe := m.Clone()
	if _, err := eval.Bind(probe.Graph, feeds, ""); err != nil {
		return nil, unsupported(err)
	}
	for _, v := range stored {
		m.Graph.SetInitializer(v, probe.Graph.Value(v.Name()).Const, nil)
	}
	return others, nil
}
