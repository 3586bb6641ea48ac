package spikingir_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	"spikingir"
	"spikingir/passes"
)

// noise is the task of the network fixtures/models/dncnn.onnx.
var noise = spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}

// check ends the example where something fails.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A file is converted at T = 8, with thresholds from images that are degraded as those
// that the network will restore.
func ExampleConvert() {
	m, err := spikingir.Read("fixtures/models/dncnn.onnx")
	check(err)
	c, err := spikingir.Convert(context.Background(), m, spikingir.Options{
		Settings:    spikingir.Settings{Timesteps: 8},
		Calibration: spikingir.Data{Task: noise, Dir: "fixtures/images/calib", Limit: 2},
	})
	check(err)
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	check(spikingir.Write(filepath.Join(dir, "spiking.onnx"), m))
	fmt.Printf("recipe %s, %d neuron layers, T = %d, %d calibration images\n",
		c.Recipe, len(c.Neurons), c.Timesteps, c.Images)
	// Output: recipe spikingir, 5 neuron layers, T = 8, 2 calibration images
}

// A pass of one's own runs among those of a recipe: this one tells which ReLUs will be
// neurons. examples/custompass has one that rewrites, with golden cases.
func ExampleRecipe() {
	own := &passes.Pass{
		Name: "list-relus",
		Doc:  "list the ReLUs of a network",
		Run: func(c *passes.Context) (changed bool, err error) {
			for n := range c.Model.Graph.Nodes() {
				if n.Is("Relu") {
					c.Notef(n, "computes %s", n.Output(0).Name())
				}
			}
			return false, nil
		},
	}
	p, err := spikingir.Recipe("spikingir", spikingir.DefaultSettings())
	check(err)
	p = slices.Insert(p, 0, own.With())
	m, err := spikingir.Read("fixtures/models/aodnet.onnx")
	check(err)
	c, err := spikingir.Convert(context.Background(), m, spikingir.Options{Pipeline: p})
	check(err)
	for _, note := range c.Notes[:2] {
		fmt.Println(note)
	}
	// Output:
	// list-relus: node "/Relu": computes /Relu_output_0
	// list-relus: node "/Relu_1": computes /Relu_1_output_0
}

// A network runs on a tensor: here an ANN on an image of zeros.
func ExampleNetwork_Run() {
	m, err := spikingir.Read("fixtures/models/vdsr.onnx")
	check(err)
	net, err := spikingir.Open(m, spikingir.RunOptions{})
	check(err)
	defer net.Close()
	x := spikingir.NewTensor(make([]float32, 16*24), 1, 1, 16, 24)
	out, err := net.Run(context.Background(), x)
	check(err)
	fmt.Println(out[0].DType, out[0].Dims, len(out[0].F32))
	// Output: float [1 1 16 24] 384
}

// A network of one channel restores the luma of a colour image and keeps its chroma.
// In fixed point every machine gives the same pixels.
func ExampleNetwork_Restore() {
	m, err := spikingir.Read("fixtures/tuned/dncnn.onnx")
	check(err)
	net, err := spikingir.Open(m, spikingir.RunOptions{})
	check(err)
	defer net.Close()
	noisy, err := spikingir.ReadImage("fixtures/images/clean/s01.png")
	check(err)
	restored, err := net.Restore(context.Background(), noisy)
	check(err)
	fmt.Printf("T = %d: %d channels, %dx%d pixels\n", net.Timesteps(), restored.C, restored.W, restored.H)
	// Output: T = 10: 3 channels, 128x128 pixels
}

// A converted network is fine-tuned for ten steps of four patches, which is enough to
// see how it is done. Three of the images are trained on, and one is held out.
func ExampleFinetune() {
	ctx := context.Background()
	m, err := spikingir.Read("fixtures/models/dncnn.onnx")
	check(err)
	_, err = spikingir.Convert(ctx, m, spikingir.Options{
		Settings:    spikingir.Settings{Timesteps: 4},
		Calibration: spikingir.Data{Task: noise, Limit: 2},
	})
	check(err)
	o := spikingir.DefaultFinetune()
	o.Data = spikingir.Data{Task: noise, Dir: "fixtures/images/clean"}
	o.Steps, o.Batch, o.Patch, o.CalibratePatches = 10, 4, 16, 16
	o.ValidationShare, o.ValidationCrop = 0.25, 48
	r, err := spikingir.Finetune(ctx, m, o)
	check(err)
	fmt.Printf("%s: %d steps, %d patches\n", r.Ended, r.Steps, r.Patches)
	fmt.Println("better than before:", r.Best.PSNR > r.Before.PSNR)
	// Output:
	// complete: 10 steps, 40 patches
	// better than before: true
}

// A spiking network is measured beside the ANN that it was converted from.
func ExampleEvaluate() {
	m, err := spikingir.Read("fixtures/tuned/dncnn.onnx")
	check(err)
	net, err := spikingir.Open(m, spikingir.RunOptions{Timesteps: []int{4, 10}})
	check(err)
	defer net.Close()
	m, err = spikingir.Read("fixtures/models/dncnn.onnx")
	check(err)
	ann, err := spikingir.Open(m, spikingir.RunOptions{})
	check(err)
	defer ann.Close()
	reports, err := spikingir.Evaluate(context.Background(), net,
		spikingir.Data{Task: noise, Dir: "fixtures/images/clean", Limit: 2},
		spikingir.EvaluateOptions{Reference: ann, Crop: 64})
	check(err)
	for _, r := range reports {
		fmt.Printf("T = %d: %.1f dB, ANN %.1f dB, agreement %.1f dB\n", r.Timesteps, r.Model.PSNR, r.Ref.PSNR, r.Agreement.PSNR)
	}
	// Output:
	// T = 4: 26.1 dB, ANN 28.2 dB, agreement 30.3 dB
	// T = 10: 27.8 dB, ANN 28.2 dB, agreement 37.5 dB
}
