// Package standard lists the passes in the order in which a conversion meets
// them. It holds nothing else.
package standard

import (
	"slices"

	"spikingir/passes"
	"spikingir/passes/absorbscales"
	"spikingir/passes/adoptspiking"
	"spikingir/passes/channelsfirst"
	"spikingir/passes/cliptoif"
	"spikingir/passes/deadnode"
	"spikingir/passes/downgradeopset"
	"spikingir/passes/dropquantisers"
	"spikingir/passes/encodeinput"
	"spikingir/passes/foldbatchnorm"
	"spikingir/passes/foldconstants"
	"spikingir/passes/foldidentity"
	"spikingir/passes/foldif"
	"spikingir/passes/foldshapes"
	"spikingir/passes/iftograded"
	"spikingir/passes/iftomprn"
	"spikingir/passes/infershapes"
	"spikingir/passes/inlinefunctions"
	"spikingir/passes/insertcpm"
	"spikingir/passes/lowercounts"
	"spikingir/passes/lowerflat"
	"spikingir/passes/lowerfunctions"
	"spikingir/passes/lowerqdq"
	"spikingir/passes/lowerunrolled"
	"spikingir/passes/maxpooltoaveragepool"
	"spikingir/passes/normalizethresholds"
	"spikingir/passes/prelutoonoff"
	"spikingir/passes/quantiseweights"
	"spikingir/passes/raiseforms"
	"spikingir/passes/recogniserelu"
	"spikingir/passes/relutoif"
	"spikingir/passes/settleinitializers"
	"spikingir/passes/shiftbiases"
	"spikingir/passes/snapweights"
	"spikingir/passes/spikecurrents"
	"spikingir/passes/splitregions"
	"spikingir/passes/upgradeopset"
	"spikingir/passes/widenfloats"
)

// list is every pass.
var list = []*passes.Pass{
	settleinitializers.Pass,
	inlinefunctions.Pass,
	widenfloats.Pass,
	upgradeopset.Pass,
	infershapes.Pass,
	foldshapes.Pass,
	channelsfirst.Pass,
	foldidentity.Pass,
	foldconstants.Pass,
	foldif.Pass,
	dropquantisers.Pass,
	recogniserelu.Pass,
	foldbatchnorm.Pass,
	deadnode.Pass,
	maxpooltoaveragepool.Pass,
	splitregions.Pass,
	spikecurrents.Pass,
	relutoif.Pass,
	cliptoif.Pass,
	prelutoonoff.Pass,
	insertcpm.Pass,
	normalizethresholds.Pass,
	iftomprn.Pass,
	iftograded.Pass,
	encodeinput.Pass,
	shiftbiases.Pass,
	raiseforms.Pass,
	adoptspiking.Pass,
	absorbscales.Pass,
	quantiseweights.Pass,
	snapweights.Pass,
	lowerfunctions.Pass,
	lowerflat.Pass,
	lowerunrolled.Pass,
	lowercounts.Pass,
	lowerqdq.Pass,
	downgradeopset.Pass,
}

// Passes lists every pass in a fixed order.
func Passes() []*passes.Pass { return slices.Clone(list) }
