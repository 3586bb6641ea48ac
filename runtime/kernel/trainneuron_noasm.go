package kernel

// acceleratedTrainNeurons lists no implementation: this build has no assembly.
func acceleratedTrainNeurons() []entry[trainKernels] { return nil }
