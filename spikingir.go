// Package spikingir turns an image-restoration CNN in ONNX into a spiking neural
// network of the same topology, runs it, measures it, fine-tunes it and writes it as
// ONNX again. The method is SpikingIR (Ouyang et al., AAAI 2026); docs/design.md says
// what the spiking operators mean.
//
//	m, err := spikingir.Read("dncnn.onnx")
//	photos := spikingir.Data{Dir: "photos", Task: spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}}
//	_, err = spikingir.Convert(ctx, m, spikingir.Options{Calibration: photos})
//	o := spikingir.DefaultFinetune()
//	o.Data, o.MaxMinutes = photos, 60
//	_, err = spikingir.Finetune(ctx, m, o)
//	err = spikingir.Write("spiking.onnx", m)
//	net, err := spikingir.Open(m, spikingir.RunOptions{})
//	defer net.Close()
//	restored, err := net.Restore(ctx, noisy)
//
// Images are float32 from 0 to 1, gray or RGB; tensors are row-major [N,C,H,W]. A
// function that takes a context ends soon after the context does, with its error.
// An error that is the fault of a model's structure is an [UnsupportedError], one of a
// model that is not valid an [InvalidError] or an [onnxio.Error].
//
// # Stability
//
// This package is what programs should import. It, graph, graph/op, onnxio, passes,
// passes/passtest and runtime/neuron change only with a note in the release; all other
// packages may change at any time, and so may what [Network.Program] gives.
package spikingir

import (
	"errors"

	"spikingir/graph"
	"spikingir/graph/exact"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/onnxio"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/passes/standard"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// Version is the version of this module; converted models state it.
const Version = "0.1.0"

// The types of other packages that a caller meets.
type (
	Model     = graph.Model      // an ONNX model that can be edited
	Pipeline  = passes.Pipeline  // passes in order
	Pass      = passes.Pass      // one rewrite of a model
	Settings  = recipes.Settings // what can be set of a recipe
	Precision = exec.Precision   // of the numbers in spiking layers
	Image     = dataset.Image    // planes [C,H,W] of float32 from 0 to 1
	Picture   = dataset.Picture  // an image with its opacity, and whether it has 16 bits
	Task      = dataset.Task     // how images are degraded
	TaskKind  = dataset.Kind     // what a Task is
	Sample    = dataset.Sample   // an input and what it should become
	Samples   = eval.Samples     // a list of them
	Tensor    = ops.Tensor       // row-major numbers
	Report    = eval.Report      // what [Evaluate] measured
	Outcome   = eval.Outcome     // an image, and what a network made of it
	Activity  = eval.Activity    // how a layer fires
	Record    = eval.Record      // what a file states that was measured
	Tiling    = exec.Tiling      // how an image is cut
	Feed      = eval.Feed        // what an input beside the image is given
)

// The kinds of [Task].
const (
	AsIs    = dataset.None    // images are fed as they are
	Denoise = dataset.Denoise // Sigma: Gaussian noise of that deviation, in 8-bit units
	SR      = dataset.SR      // Scale: shrunk by that factor, bicubic
	Dehaze  = dataset.Dehaze  // the folders hazy and clear
	Pairs   = dataset.Pairs   // a folder of inputs and one of targets
)

// What a network of super-resolution is fed, in [Task].
const (
	Bicubic = dataset.Bicubic // the small image, enlarged to the size of the target
	LowRes  = dataset.LowRes  // the small image
)

// Read reads an ONNX file, with its external data. What is no valid model is an
// [onnxio.Error], and so is a spiking network whose parameters are out of range.
func Read(path string) (*Model, error) { return ReadWithin(path, 0) }

// ReadWithin is Read of a model of which the file, and its external data, may take so many
// bytes. 0 is three quarters of the machine's memory, as the rest is for what is computed; a
// negative number is no limit.
func ReadWithin(path string, memory int64) (*Model, error) {
	if memory == 0 {
		memory = machine.Memory() / 4 * 3
	}
	m, err := onnxio.ReadOptions{MaxBytes: max(memory, 0), MaxExternal: max(memory, 0)}.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := validate(m); err != nil {
		return nil, err
	}
	return m, nil
}

// Write writes an ONNX file, which appears under its name when it is complete, and data
// that was outside of a model's file to another one beside it: see
// [onnxio.WriteOptions.WriteFile]. The same model and name give the same bytes.
func Write(path string, m *Model) error { return onnxio.WriteFile(path, m) }

// ReadImage reads a PNG, JPEG, TIFF, WebP or BMP, turned as its Exif data say: one channel
// where it is gray, else three.
func ReadImage(path string) (Image, error) { return dataset.Read(path) }

// WriteImage writes an 8-bit PNG, which appears under its name when it is complete.
func WriteImage(path string, m Image) error { return dataset.Write(path, m) }

// ReadPicture is ReadImage with opacity and depth. [Picture.With] puts what a network made of
// the image in its place.
func ReadPicture(path string) (Picture, error) { return dataset.ReadPicture(path) }

// WritePicture writes a PNG of 8 or 16 bits, with opacity, as WriteImage does.
func WritePicture(path string, p Picture) error { return dataset.WritePicture(path, p) }

// Enlarge resizes an image by a factor, by MATLAB's bicubic: the input of networks
// such as VDSR.
func Enlarge(m Image, factor float64) (Image, error) { return dataset.ResizeScale(m, factor) }

// NewTensor is a float32 tensor over data, which it keeps; their number must be the
// product of dims.
func NewTensor(data []float32, dims ...int) *Tensor { return ops.Floats(data, dims...) }

// ImageTensor is an image as a tensor [1,C,H,W] over the same pixels.
func ImageTensor(m Image) *Tensor { return eval.Tensor(m) }

// TensorImage is a tensor float32[1,C,H,W], of 1 or 3 channels, as an image over the
// same numbers.
func TensorImage(t *Tensor) (Image, error) { return eval.Image(t) }

// Spiking reports whether a model holds spiking neurons. Those of [Lowered] models are
// standard operators and do not count.
func Spiking(m *Model) bool {
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			return true
		}
	}
	return false
}

// Channels is the number of channels of the image that a model takes, 0 where it
// leaves it open. A model that takes or gives anything but one image is an error.
func Channels(m *Model) (int, error) {
	m, err := ChannelsFirst(m)
	if err != nil {
		return 0, err
	}
	p, err := eval.PortsOf(m.Graph)
	return p.Channels, err
}

// Inline puts the bodies of a model's own functions in the place of their calls, in place,
// as [Open] does before it runs a model. Spiking operators keep their functions.
func Inline(m *Model) error {
	_, err := recipes.Inline().Run(m, passes.Options{})
	return refused(err)
}

// Recipes lists the conversion methods; the first is the default.
func Recipes() []string { return recipes.Names() }

// NoV0 is, for [Settings], an initial potential of 0, where 0 takes the recipe's own or the best.
const NoV0 = recipes.NoV0

// DefaultSettings is the settings of a recipe of which nothing is set.
func DefaultSettings() Settings { return recipes.Defaults() }

// Recipe is the passes of a conversion method: "spikingir" (Ouyang et al., AAAI 2026),
// "rueckauer" (Rueckauer et al., Front. Neurosci. 2017) or "two-phase" (after Liu et al.,
// SpikeConverter, AAAI 2022). A setting out of range is
// an error that names it.
func Recipe(name string, s Settings) (Pipeline, error) { return recipes.New(name, s) }

// Rewriting is the passes that write a finished spiking network in another form, as
// Lower, Unit, Exact and WeightBits of the settings say.
func Rewriting(s Settings) (Pipeline, error) { return recipes.Rewrite(s) }

// Exact is nil where every runtime that computes a network as its file says gives the same
// bits; an error names the node that leaves a last bit open. [Settings] with Exact give such networks.
func Exact(m *Model) error {
	m = m.Clone()
	if err := infer.Model(m); err != nil {
		return err
	}
	return exact.Prove(m)
}

// ParsePipeline reads passes such as "fold-batchnorm,relu-to-if{v0=0.5}"; own are
// passes beside the standard ones. The empty text is a pipeline of no passes, not nil.
func ParsePipeline(text string, own ...*Pass) (Pipeline, error) {
	p, err := passes.Parse(text, append(standard.Passes(), own...))
	if p == nil && err == nil {
		p = Pipeline{}
	}
	return p, err
}

// An UnsupportedError says that a model's structure cannot be converted, run or
// trained. Its text names the node of the file and what was wanted there.
type UnsupportedError struct{ Err error }

func (e *UnsupportedError) Error() string { return e.Err.Error() }

// Unwrap gives the cause; a [passes.Unsupported] lists all nodes that a conversion
// refuses.
func (e *UnsupportedError) Unwrap() error { return e.Err }

func unsupported(err error) error {
	var known *UnsupportedError
	var invalid *InvalidError
	switch {
	case errors.As(err, &known), errors.As(err, &invalid):
		return err
	case isInvalid(err):
		return &InvalidError{err}
	}
	return &UnsupportedError{err}
}

// An InvalidError says that a model contradicts itself or the rules of ONNX: no other
// program can run it either. Its text names the node of the file where there is one.
type InvalidError struct{ Err error }

func (e *InvalidError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *InvalidError) Unwrap() error { return e.Err }

// isInvalid tells what shape inference finds wrong from what merely cannot be run.
func isInvalid(err error) bool {
	var inferred *infer.Error
	var node *op.Error
	return errors.As(err, &inferred) && !(errors.As(err, &node) && node.Unsupported)
}

// refused is an error of a pass as that of the model that it was given.
func refused(err error) error {
	var pass *passes.Error
	var internal *passes.Internal
	var known *UnsupportedError
	switch {
	case !errors.As(err, &pass), errors.As(err, &internal), errors.As(err, &known):
		return err
	case passes.IsInvalid(err):
		return &InvalidError{err}
	}
	return unsupported(err)
}

// newPool starts the threads of a call; 0 takes every core.
func newPool(threads int) (*machine.Pool, error) {
	if err := machine.EnvError(); err != nil {
		return nil, err
	}
	return machine.NewPool(threads), nil
}
