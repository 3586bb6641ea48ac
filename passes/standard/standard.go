// Package standard lists the passes in the order in which a conversion meets
// them. It holds nothing else.
package standard

import (
	"slices"

	"spikingir/passes"
	"spikingir/passes/deadnode"
	"spikingir/passes/foldbatchnorm"
	"spikingir/passes/foldconstants"
	"spikingir/passes/foldidentity"
	"spikingir/passes/infershapes"
	"spikingir/passes/upgradeopset"
)

// list is every pass.
var list = []*passes.Pass{
	upgradeopset.Pass,
	infershapes.Pass,
	foldidentity.Pass,
	foldconstants.Pass,
	foldbatchnorm.Pass,
	deadnode.Pass,
}

// Passes lists every pass in a fixed order.
func Passes() []*passes.Pass { return slices.Clone(list) }
