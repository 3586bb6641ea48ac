package eval

import (
	"context"
	"fmt"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// Activity is how a neuron layer fires over some images; the JSON form is a contract of
// the command line.
type Activity struct {
	Node   string `json:"node"`
	Origin string `json:"origin"`
	Neuron string `json:"neuron"`
	Images int    `json:"images"`
	// FiringRate is spikes per neuron and main step, those of the post step too.
	FiringRate float64 `json:"firing_rate"`
	// Silent and Saturated are shares of the neurons of all images: of those that never fire,
	// and of those that fire at each step all that they can, T times or more, which tell no larger value apart.
	Silent    float64 `json:"silent"`
	Saturated float64 `json:"saturated"`
	// SilentChannels and SaturatedChannels are those, from 0, of which all neurons are so in
	// all images.
	Channels          int   `json:"channels"`
	SilentChannels    []int `json:"silent_channels"`
	SaturatedChannels []int `json:"saturated_channels"`
}

// firing counts the spikes of a layer.
type firing struct {
	node     *graph.Node
	channels []channelFiring
}

// channelFiring counts neurons and spikes of a channel.
type channelFiring struct{ neurons, silent, saturated, spikes int64 }

// MeasureActivity runs a model over images, and tells how each layer of its neurons fires at T
// timesteps, in the order of the layers.
func MeasureActivity(ctx context.Context, p *exec.Program, ports Ports, set Samples, progress func(done, total int)) ([]Activity, error) {
	var layers []*firing
	at := map[*graph.Node]*firing{}
	for i := range set.Len() {
		s, err := set.At(i)
		if err != nil {
			return nil, err
		}
		inputs, err := ports.Inputs(Tensor(s.Input))
		if err != nil {
			return nil, fmt.Errorf("image %q: %w", s.Name, err)
		}
		_, err = p.Run(ctx, inputs, exec.RunOptions{Fired: func(n *graph.Node, spikes *ops.Tensor) {
			k := at[n]
			if k == nil {
				k = &firing{node: n}
				at[n], layers = k, append(layers, k)
			}
			k.add(spikes, most(n, p.T))
		}})
		if err != nil {
			return nil, fmt.Errorf("image %q: %w", s.Name, err)
		}
		if progress != nil {
			progress(i+1, set.Len())
		}
	}
	list := []Activity{}
	for _, k := range layers {
		list = append(list, k.activity(set.Len(), p.T))
	}
	return list, nil
}

// most is the number of spikes from which on a neuron is saturated: those of T steps in each of which
// it sends all that it can.
func most(n *graph.Node, steps int) int {
	s, err := op.NeuronOf(n)
	if err != nil {
		return steps // an error, which compiling the network has worded
	}
	return steps * s.Grade.Spikes(s.Grade.Most)
}

// add counts the spikes [N,C,...] of an image, of which most make a neuron saturated.
func (k *firing) add(x *ops.Tensor, most int) {
	channels := x.Dims[1]
	for len(k.channels) < channels {
		k.channels = append(k.channels, channelFiring{})
	}
	plane := len(x.F32) / max(x.Dims[0]*channels, 1)
	for i := range x.Dims[0] * channels {
		c := &k.channels[i%channels]
		c.neurons += int64(plane)
		for _, n := range x.F32[i*plane : (i+1)*plane] {
			c.spikes += int64(n)
			switch {
			case n == 0:
				c.silent++
			case int(n) >= most:
				c.saturated++
			}
		}
	}
}

func (k *firing) activity(images, steps int) Activity {
	n := k.node
	a := Activity{Node: n.Label(), Origin: n.OriginLabel(), Neuron: n.Op().Type, Images: images, Channels: len(k.channels),
		SilentChannels: []int{}, SaturatedChannels: []int{}}
	var all channelFiring
	for i, c := range k.channels {
		if c.silent == c.neurons {
			a.SilentChannels = append(a.SilentChannels, i)
		}
		if c.saturated == c.neurons {
			a.SaturatedChannels = append(a.SaturatedChannels, i)
		}
		all.neurons, all.silent = all.neurons+c.neurons, all.silent+c.silent
		all.saturated, all.spikes = all.saturated+c.saturated, all.spikes+c.spikes
	}
	if neurons := float64(all.neurons); neurons > 0 && steps > 0 {
		a.FiringRate = float64(all.spikes) / neurons / float64(steps)
		a.Silent, a.Saturated = float64(all.silent)/neurons, float64(all.saturated)/neurons
	}
	return a
}
