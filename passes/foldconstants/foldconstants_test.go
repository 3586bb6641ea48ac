package foldconstants_test

import (
	"testing"

	"spikingir/passes/foldconstants"
	"spikingir/passes/passtest"
)

func TestFoldConstants(t *testing.T) { passtest.Run(t, foldconstants.Pass) }
