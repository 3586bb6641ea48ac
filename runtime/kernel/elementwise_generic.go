package kernel

func leakyReluGeneric(dst, x []float32, slope float32) {
	for i, v := range x {
		if v < 0 {
			v *= slope
		}
		dst[i] = v
	}
}

func clipGeneric(dst, x []float32, low, high float32) {
	for i, v := range x {
		if v < low {
			v = low
		}
		if v > high {
			v = high
		}
		dst[i] = v
	}
}

func addGeneric(dst, x, y []float32) {
	for i, v := range x {
		dst[i] = v + y[i]
	}
}

func subGeneric(dst, x, y []float32) {
	for i, v := range x {
		dst[i] = v - y[i]
	}
}

func mulGeneric(dst, x, y []float32) {
	for i, v := range x {
		dst[i] = v * y[i]
	}
}

func divGeneric(dst, x, y []float32) {
	for i, v := range x {
		dst[i] = v / y[i]
	}
}

func addScalarGeneric(dst, x []float32, a float32) {
	for i, v := range x {
		dst[i] = v + a
	}
}

func mulScalarGeneric(dst, x []float32, a float32) {
	for i, v := range x {
		dst[i] = a * v
	}
}

func axpyGeneric(dst, x []float32, a float32) {
	for i, v := range x {
		dst[i] += float32(a * v)
	}
}
