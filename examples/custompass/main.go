// Command custompass converts a network with a pass of its own before those of the
// recipe: custompass MODEL OUT. It is a module of its own, as a program is that uses
// spikingir as a library.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"

	"spikingir"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: custompass MODEL OUT")
	}
	if err := convert(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func convert(in, out string) error {
	m, err := spikingir.Read(in)
	if err != nil {
		return err
	}
	p, err := spikingir.Recipe("spikingir", spikingir.DefaultSettings())
	if err != nil {
		return err
	}
	p = slices.Insert(p, 0, relu6ToRelu.With(bound.Set(6)))
	c, err := spikingir.Convert(context.Background(), m, spikingir.Options{Pipeline: p})
	if err != nil {
		return err
	}
	fmt.Printf("%d neuron layers, T = %d\n", len(c.Neurons), c.Timesteps)
	for _, note := range c.Notes {
		fmt.Println(note)
	}
	return spikingir.Write(out, m)
}
