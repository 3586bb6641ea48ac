package kernel

// acceleratedTrainNeurons lists no implementation: this build has no assembly.
func acceleratedTrainNeurons() []entry[trainNeuronKernels] { return nil }
