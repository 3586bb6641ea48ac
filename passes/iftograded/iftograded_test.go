package iftograded

import (
	"testing"

	"spikingir/passes/passtest"
)

func TestGolden(t *testing.T) { passtest.Run(t, Pass) }
