package op

import "spikingir/graph"

// Scan runs its body over slices of its last Scanned inputs. The lists have an entry for each
// scanned input or stacked output: the axis of the slices, and 1 where they go backwards. They
// may be shorter: 0 then.
type Scan struct {
	Scanned                     int64
	InAxes, OutAxes             []int64 // negative: from the end
	InDirections, OutDirections []int64
}

// ScanOf decodes a Scan.
func ScanOf(n *graph.Node) (Scan, error) {
	r := read(n)
	s := Scan{Scanned: int64(required[graph.Int](r, "num_scan_inputs")),
		InAxes: r.ints("scan_input_axes"), OutAxes: r.ints("scan_output_axes"),
		InDirections: r.ints("scan_input_directions"), OutDirections: r.ints("scan_output_directions")}
	r.atLeast("num_scan_inputs", s.Scanned, 1)
	return s, r.err
}
