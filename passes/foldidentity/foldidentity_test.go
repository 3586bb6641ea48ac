package foldidentity_test

import (
	"testing"

	"spikingir/passes/foldidentity"
	"spikingir/passes/passtest"
)

func TestFoldIdentity(t *testing.T) { passtest.Run(t, foldidentity.Pass) }
