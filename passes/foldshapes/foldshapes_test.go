package foldshapes_test

import (
	"testing"

	"spikingir/passes/foldshapes"
	"spikingir/passes/passtest"
)

func TestFoldShapes(t *testing.T) { passtest.Run(t, foldshapes.Pass) }
