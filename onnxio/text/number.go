package text

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"spikingir/graph"
)

// atNumber reports whether a number stands here. inf, infinity and nan are
// words to the lexer, in any case of letters.
func (p *parser) atNumber() bool {
	return p.tok.kind == number || p.tok.kind == ident && specialFloat(p.tok.text)
}

func specialFloat(s string) bool {
	switch strings.ToLower(s) {
	case "inf", "infinity", "nan":
		return true
	}
	return false
}

// The bits of the NaN that is written nan.
const (
	quietNaN32 = 0x7fc00000
	quietNaN64 = 0x7ff8000000000000
)

func parseFloat32(s string) (float32, bool) {
	bits, ok := parseFloat(s, 32)
	return math.Float32frombits(uint32(bits)), ok
}

// parseFloat gives the bits of a float of 32 or 64 bits. A number out of its
// range is none.
func parseFloat(s string, size int) (uint64, bool) {
	if digits, ok := strings.CutPrefix(s, "nan(0x"); ok {
		n, err := strconv.ParseUint(strings.TrimSuffix(digits, ")"), 16, size)
		return n, err == nil && isNaN(n, size)
	}
	word, negative := strings.CutPrefix(strings.ToLower(s), "-")
	var bits uint64
	switch word {
	case "nan":
		bits = quietNaN64
		if size == 32 {
			bits = quietNaN32
		}
	case "inf", "infinity":
		bits = floatBits(math.Inf(1), size)
	default:
		if !isDecimal(word) {
			return 0, false
		}
		f, err := strconv.ParseFloat(s, size)
		return floatBits(f, size), err == nil
	}
	if negative {
		bits |= 1 << (size - 1)
	}
	return bits, true
}

// isDecimal keeps out what Go's parser reads beyond the standard.
func isDecimal(s string) bool {
	return s != "" && isDigit(s[0]) && !strings.ContainsAny(s, "x_")
}

func floatBits(f float64, size int) uint64 {
	if size == 32 {
		return uint64(math.Float32bits(float32(f)))
	}
	return math.Float64bits(f)
}

func isNaN(bits uint64, size int) bool {
	if size == 32 {
		return bits<<33>>33 > 0xff<<23
	}
	return bits<<1>>1 > 0x7ff<<52
}

// formatFloat is the shortest decimal that reads back as the same bits.
func formatFloat(bits uint64, size int) string {
	quiet := uint64(quietNaN64)
	f := math.Float64frombits(bits)
	if size == 32 {
		quiet = quietNaN32
		f = float64(math.Float32frombits(uint32(bits)))
	}
	switch {
	case isNaN(bits, size) && bits == quiet:
		return "nan"
	case isNaN(bits, size) && bits == quiet|1<<(size-1):
		return "-nan"
	case isNaN(bits, size):
		return fmt.Sprintf("nan(0x%0*x)", size/4, bits)
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'g', -1, size)
}

// formatAttrFloat writes a float so that it does not read back as an int.
func formatAttrFloat(f float32) string {
	s := formatFloat(uint64(math.Float32bits(f)), 32)
	if strings.Trim(s, "-0123456789") == "" {
		s += ".0"
	}
	return s
}

// format says how the elements of a type are written.
type format uint8

const (
	signed   format = iota
	unsigned        // also the bits of the floats that Go has no type for
	float32s        // one, or two for complex64
	float64s
	none
)

func formatOf(d graph.DType) format {
	switch d {
	case graph.Float32, graph.Complex64:
		return float32s
	case graph.Float64, graph.Complex128:
		return float64s
	case graph.Int2, graph.Int4, graph.Int8, graph.Int16, graph.Int32, graph.Int64:
		return signed
	}
	if d.Bits() == 0 {
		return none
	}
	return unsigned
}

// layout is how the numbers that stand for the elements of a type lie in its
// bytes: perElement numbers of bits each, low bits first.
type layout struct {
	format     format
	bits       int
	perElement int
}

func layoutOf(d graph.DType) layout {
	switch d {
	case graph.Complex64, graph.Complex128:
		return layout{formatOf(d), d.Bits() / 2, 2}
	}
	return layout{formatOf(d), d.Bits(), 1}
}

func (y layout) parse(s string) (uint64, bool) {
	switch y.format {
	case float32s, float64s:
		return parseFloat(s, y.bits)
	case signed:
		n, err := strconv.ParseInt(s, 10, y.bits)
		return uint64(n), err == nil
	}
	n, err := strconv.ParseUint(s, 10, y.bits)
	return n, err == nil
}

// append adds number i, counted from 0, to the bytes.
func (y layout) append(b []byte, i int, n uint64) []byte {
	if y.bits >= 8 {
		for s := 0; s < y.bits; s += 8 {
			b = append(b, byte(n>>s))
		}
		return b
	}
	at := i * y.bits % 8
	if at == 0 {
		b = append(b, 0)
	}
	b[len(b)-1] |= byte(n&(1<<y.bits-1)) << at
	return b
}

func (y layout) string(b []byte, i int) string {
	var n uint64
	if y.bits >= 8 {
		size := y.bits / 8
		for k := range size {
			n |= uint64(b[size*i+k]) << (8 * k)
		}
	} else {
		n = uint64(b[i*y.bits/8]>>(i*y.bits%8)) & (1<<y.bits - 1)
	}
	switch y.format {
	case float32s, float64s:
		return formatFloat(n, y.bits)
	case signed:
		shift := 64 - y.bits
		return strconv.FormatInt(int64(n)<<shift>>shift, 10)
	}
	return strconv.FormatUint(n, 10)
}
