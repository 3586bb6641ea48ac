package lowerqdq_test

import (
	"testing"

	"spikingir/passes/lowerqdq"
	"spikingir/passes/passtest"
)

func TestLowerQDQ(t *testing.T) { passtest.Run(t, lowerqdq.Pass) }
