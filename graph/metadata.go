package graph

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
