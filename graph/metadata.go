package graph

// Keys of the metadata that this program writes. The key of a model's property is
// MetaPrefix and a name.
const (
	MetaPrefix = "spikingir."

	// Of nodes: where a node comes from.
	MetaOrigin = MetaPrefix + "origin"
	MetaPass   = MetaPrefix + "pass"
	MetaRegion = MetaPrefix + "region"

	// Of neurons and CPMs: how they were made.
	MetaPercentile = MetaPrefix + "percentile"
	MetaLimit      = MetaPrefix + "limit" // of the Clip that a neuron stands for
	MetaOver       = MetaPrefix + "over"
	MetaPer        = MetaPrefix + "per"
	MetaBeta       = MetaPrefix + "beta"
	MetaBalanced   = MetaPrefix + "balanced" // rounds of local threshold balancing
	MetaShift      = MetaPrefix + "shift"    // of a neuron's bias, in units of the threshold
	MetaFrozen     = MetaPrefix + "frozen"

	// Of models: how they were converted and trained.
	MetaVersion     = MetaPrefix + "version"
	MetaRecipe      = MetaPrefix + "recipe"
	MetaPipeline    = MetaPrefix + "pipeline"
	MetaTimesteps   = MetaPrefix + "timesteps"
	MetaSchedule    = MetaPrefix + "schedule"      // of a two-phase network
	MetaLatency     = MetaPrefix + "latency_steps" // of a two-phase network, at that T
	MetaSource      = MetaPrefix + "source_sha256"
	MetaCalib       = MetaPrefix + "calib_sha256"
	MetaCalibImages = MetaPrefix + "calib_images"
	MetaTask        = MetaPrefix + "task"
	MetaSeed        = MetaPrefix + "seed"
	MetaFinetune    = MetaPrefix + "finetune"
	MetaMeasured    = MetaPrefix + "measured" // firing rate and energy of each layer, on images
	MetaNeurons     = MetaPrefix + "neurons"  // of a lowered model: what its spiking operators were
	MetaNodes       = MetaPrefix + "nodes"    // in a file: the metadata of nodes and values
	MetaInput       = MetaPrefix + "input."   // and a name: what an input beside the image was fed
)

// MetadataIR is the first IR version with metadata on nodes and values. In the file of an
// older one they are a property of the model.
const MetadataIR = 10

// KV is one metadata property.
type KV struct{ Key, Value string }

// Metadata is an ordered list of properties, as in ONNX metadata_props.
type Metadata []KV

// Get gives the value of key.
func (m Metadata) Get(key string) (string, bool) {
	for _, kv := range m {
		if kv.Key == key {
			return kv.Value, true
		}
	}
	return "", false
}

// Set replaces the value of key in place, or appends it.
func (m *Metadata) Set(key, value string) {
	for i := range *m {
		if (*m)[i].Key == key {
			(*m)[i].Value = value
			return
		}
	}
	*m = append(*m, KV{key, value})
}

// Delete removes key.
func (m *Metadata) Delete(key string) {
	for i := range *m {
		if (*m)[i].Key == key {
			*m = append((*m)[:i:i], (*m)[i+1:]...)
			return
		}
	}
}

// Clone is a copy that shares nothing with m.
func (m Metadata) Clone() Metadata { return append(Metadata(nil), m...) }
