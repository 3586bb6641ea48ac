package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"spikingir/cmd/internal/cli"
)

// examples are what help shows of each command: commands as they are typed, behind a line that
// says what for.
var examples = map[string]string{
	"inspect": `
  # what a network is, and which of its layers convert would make spiking
  spikingir inspect model.onnx

  # the same for a script
  spikingir inspect model.onnx --format json

  # in continuous integration: no operator but these
  spikingir inspect spiking.onnx --assert-op-only 'ai.onnx.*,ai.spikingir.*'`,
	"passes": `
  spikingir passes
  spikingir passes --format json`,
	"convert": `
  # a denoiser, 10 timesteps, thresholds from images like those that it will see
  spikingir convert dncnn.onnx -o spiking.onnx -T 10 --calib photos/ --task denoise --sigma 25

  # super-resolution x2, of a network that takes the enlarged image
  spikingir convert vdsr.onnx -o spiking.onnx -T 10 --calib photos/ --task sr --scale 2

  # what would become of it, without writing anything
  spikingir convert model.onnx --dry-run

  # neurons that fire when all of their input is there: better, and later
  spikingir convert dncnn.onnx -o spiking.onnx --schedule two-phase --calib photos/ --task denoise --sigma 25

  # standard operators only, for runtimes without functions
  spikingir convert dncnn.onnx -o flat.onnx --lower flat --target-opset 9`,
	"lower": `
  # standard operators only, for runtimes without functions and loops
  spikingir lower spiking.onnx --to flat -o flat.onnx

  # in 8-bit integers, of a two-phase network
  spikingir lower twophase.onnx --to qdq -o int8.onnx`,
	"run": `
  # an image, a folder of images, and a video
  spikingir run spiking.onnx -i noisy.png -o restored.png
  spikingir run spiking.onnx -i photos/ -o restored/
  spikingir run spiking.onnx -i in.y4m -o out.y4m

  # with fewer timesteps than it was converted for
  spikingir run spiking.onnx -i noisy.png -o restored.png -T 4

  # any model, on tensors
  spikingir run model.onnx --tensor x=x.npy -o y=y.npy`,
	"eval": `
  # beside the network that it was made of; the task is in the file
  spikingir eval spiking.onnx --ref model.onnx --data test/

  # how many timesteps are enough: a table of four
  spikingir eval spiking.onnx --ref model.onnx --task denoise --sigma 25 --data test/ -T 4,8,16,32

  # with pictures to look at
  spikingir eval spiking.onnx --ref model.onnx --data test/ --montage sheet.png

  # in continuous integration
  spikingir eval spiking.onnx --ref model.onnx --data test/ --assert-psnr-drop 0.5`,
	"finetune": `
  # an hour on a folder of clean images; the task is in the file
  spikingir finetune spiking.onnx -o tuned.onnx --data train/ --max-minutes 60

  # dehazing, on pairs of train/hazy and train/clear
  spikingir finetune spiking.onnx -o tuned.onnx --task dehaze --data train/

  # go on after Ctrl-C
  spikingir finetune spiking.onnx -o tuned.onnx --data train/ --max-minutes 60 --resume`,
	"diff": `
  # what a conversion changed, and only the counts of it
  spikingir diff model.onnx spiking.onnx
  spikingir diff model.onnx spiking.onnx --stat

  # are these the same network under other names?
  spikingir diff a.onnx b.onnx --ignore-names

  # side by side, as a page
  spikingir diff a.onnx b.onnx --format html -o diff.html`,
	"verify": `
  # two forms of one network compute the same
  spikingir verify spiking.onnx flat.onnx

  # how close a spiking network is to the network that it was made of
  spikingir verify model.onnx spiking.onnx -i photos/ --tolerance 0.2

  # here and in ONNX Runtime, spikes too
  spikingir verify spiking.onnx --against onnxruntime --onnxruntime node_modules`,
	"bisect": `
  # the pass that made the difference
  spikingir bisect model.onnx spiking.onnx --calib photos/ --task denoise --sigma 25 --tolerance 0.2

  # of passes of your own choice
  spikingir bisect model.onnx --passes infer-shapes,fold-batchnorm`,
	"explain": `
  # all layers, with thresholds and where they come from
  spikingir explain spiking.onnx

  # one node, by its name in PyTorch's export
  spikingir explain spiking.onnx /body/body.1/Relu

  # how the layers fire on three images
  spikingir explain spiking.onnx --data test/ --limit 3`,
	"report": `
  spikingir report spiking.onnx --ref model.onnx --data test/ -o page.html

  # with the curves of a training
  spikingir report tuned.onnx --ref model.onnx --data test/ --log run.jsonl -o page.html`,
	"export": `
  spikingir export spiking.onnx --to nir -o network.nir --size 64x48`,
	"bench": `
  # the kernels of this machine
  spikingir bench

  # a network at 10 timesteps, operator by operator
  spikingir bench --model model.onnx -T 10 --height 256 --width 256`,
	"demo": `
  spikingir demo -o demo`,
}

// describe gives every command its examples, and says in words what is wrong with its
// arguments.
func describe(root *cobra.Command) {
	for _, c := range root.Commands() {
		c.Example = strings.TrimPrefix(examples[c.Name()], "\n")
		check := c.Args
		if check == nil || c.HasSubCommands() {
			continue
		}
		c.Args = func(cmd *cobra.Command, args []string) error {
			if check(cmd, args) == nil {
				return nil
			}
			return fmt.Errorf("%s: found %s, want `spikingir %s`", cmd.Name(), counted(args), cmd.Use)
		}
	}
}

// counted says how many arguments there are, and which.
func counted(args []string) string {
	switch len(args) {
	case 0:
		return "no argument"
	case 1:
		return fmt.Sprintf("one argument, %q", args[0])
	}
	return fmt.Sprintf("%d arguments, %q", len(args), args)
}

// groups are the commands in the order of their use, as help lists them.
var groups = []struct {
	title    string
	commands []string
}{
	{"Every day:", []string{"inspect", "convert", "finetune", "run", "eval", "report"}},
	{"To look into models:", []string{"explain", "diff", "verify", "bisect", "passes"}},
	{"Other forms:", []string{"lower", "export"}},
	{"The program itself:", []string{"bench", "demo", "completion", "help"}},
}

// group puts the commands of help in order, and lets help refuse a command that there is not.
func group(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			continue
		}
		c.Run, c.RunE = nil, func(_ *cobra.Command, args []string) error {
			if err := cli.UnknownCommand(root, args); err != nil {
				return err
			}
			about, _, err := root.Find(args)
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		}
	}
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, name := range g.commands {
			for _, c := range root.Commands() {
				if c.Name() == name {
					c.GroupID = g.title
				}
			}
		}
	}
}
