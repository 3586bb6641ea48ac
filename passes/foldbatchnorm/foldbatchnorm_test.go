package foldbatchnorm_test

import (
	"testing"

	"spikingir/passes/foldbatchnorm"
	"spikingir/passes/passtest"
)

func TestFoldBatchNorm(t *testing.T) { passtest.Run(t, foldbatchnorm.Pass) }
