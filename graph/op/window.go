package op

import "slices"

// The values of attribute auto_pad.
const (
	NotSet    = "NOTSET"
	SameUpper = "SAME_UPPER"
	SameLower = "SAME_LOWER"
	Valid     = "VALID"
)

// Window is how a kernel moves over the spatial axes, one entry per axis.
type Window struct {
	Kernel, Stride, Dilation []int64 // nil while the number of axes is unknown
	Pads                     []int64 // begin..., end...; zeros unless AutoPad is NotSet
	AutoPad                  string
	CeilMode                 bool // pooling only
}

// window decodes the attributes; kernel is what the weights say, used when
// kernel_shape is absent.
func (r *reader) window(kernel []int64) Window {
	w := Window{
		Kernel:   r.ints("kernel_shape"),
		Stride:   r.ints("strides"),
		Dilation: r.ints("dilations"),
		Pads:     r.ints("pads"),
		AutoPad:  r.word("auto_pad", NotSet, SameUpper, SameLower, Valid),
		CeilMode: r.bool("ceil_mode", false),
	}
	if w.Kernel != nil && kernel != nil && !slices.Equal(w.Kernel, kernel) {
		r.failf("attribute %q is %v, want %v as the weights have", "kernel_shape", w.Kernel, kernel)
	}
	if w.Kernel == nil {
		w.Kernel = kernel
	}
	if w.Kernel != nil {
		r.complete(&w)
	}
	return w
}

// complete fills in the defaults for the number of axes of the kernel and
// checks lengths and ranges.
func (r *reader) complete(w *Window) {
	k := len(w.Kernel)
	w.Stride = r.perAxis("strides", w.Stride, k, 1, 1)
	w.Dilation = r.perAxis("dilations", w.Dilation, k, 1, 1)
	r.perAxis("kernel_shape", w.Kernel, k, 1, 1)
	w.Pads = r.perAxis("pads", w.Pads, 2*k, 0, 0)
	if w.AutoPad == NotSet {
		return
	}
	if slices.ContainsFunc(w.Pads, func(p int64) bool { return p != 0 }) {
		r.failf("attribute %q is %v beside auto_pad %s, want one of them", "pads", w.Pads, w.AutoPad)
	}
}

// perAxis is list, or want times def when it is nil; entries must be lo or more.
func (r *reader) perAxis(name string, list []int64, want int, def, lo int64) []int64 {
	if list == nil {
		return slices.Repeat([]int64{def}, want)
	}
	if len(list) != want {
		r.failf("attribute %q is %v, want %d entries", name, list, want)
	}
	for _, x := range list {
		if x < lo || x > maxWindow {
			r.failf("attribute %q is %v, want entries from %d to %d", name, list, lo, maxWindow)
			break
		}
	}
	return list
}

// maxWindow bounds window attributes so that sizes computed from them cannot
// overflow.
const maxWindow = 1 << 24

// Extent is that of the dilated kernel along axis i.
func (w Window) Extent(i int) int64 { return (w.Kernel[i]-1)*w.Dilation[i] + 1 }

// PadsFor is the padding (begin..., end...) for an input of the given spatial
// sizes, auto_pad resolved.
func (w Window) PadsFor(in []int64) []int64 {
	if w.AutoPad != SameUpper && w.AutoPad != SameLower {
		return w.Pads
	}
	k := len(w.Kernel)
	pads := make([]int64, 2*k)
	for i := range k {
		out := (in[i] + w.Stride[i] - 1) / w.Stride[i]
		total := max((out-1)*w.Stride[i]+w.Extent(i)-in[i], 0)
		pads[i], pads[k+i] = split(total, w.AutoPad == SameUpper)
	}
	return pads
}

// split divides padding in two; the odd one goes to the end for upper.
func split(total int64, upper bool) (begin, end int64) {
	begin, end = total/2, total-total/2
	if !upper {
		begin, end = end, begin
	}
	return begin, end
}

// Out is the number of window positions along each axis for an input of the
// given spatial sizes, 0 or less where the kernel does not fit. With ceil mode,
// a window that would start behind the input and its begin padding is left out.
func (w Window) Out(in []int64) []int64 {
	k := len(w.Kernel)
	pads := w.PadsFor(in)
	out := make([]int64, k)
	for i := range out {
		room := in[i] + pads[i] + pads[k+i] - w.Extent(i)
		if room < 0 {
			continue
		}
		out[i] = room/w.Stride[i] + 1
		if !w.CeilMode {
			continue
		}
		// None begins in the padding behind, which may be longer than a stride.
		cover := (room+w.Stride[i]-1)/w.Stride[i] + 1
		out[i] = min(cover, (in[i]+pads[i]+w.Stride[i]-1)/w.Stride[i])
	}
	return out
}
