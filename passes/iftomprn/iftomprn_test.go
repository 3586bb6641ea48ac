package iftomprn_test

import (
	"testing"

	"spikingir/passes/iftomprn"
	"spikingir/passes/passtest"
)

func TestIFToMPRN(t *testing.T) { passtest.Run(t, iftomprn.Pass) }
