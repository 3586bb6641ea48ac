package npy

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
)

// file is a version 1 file with a header dictionary and data.
func file(dict string, data ...byte) []byte {
	b := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(b[8:], uint16(len(dict)))
	return append(append(b, dict...), data...)
}

func dict(descr, fortran, shape string) string {
	return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }\n"
}

func floats(list ...float32) (b []byte) {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func TestRead(t *testing.T) {
	version2 := file(dict("<f4", "False", "2,"), floats(1, 2)...)
	version2 = append([]byte("\x93NUMPY\x02\x00"), append([]byte{version2[8], version2[9], 0, 0}, version2[10:]...)...)
	for _, c := range []struct {
		name string
		file []byte
		elem graph.DType
		dims []int64
		data []byte
	}{
		{"matrix", file(dict("<f4", "False", "2, 3"), floats(1, 2, 3, 4, 5, 6)...), graph.Float32, []int64{2, 3}, floats(1, 2, 3, 4, 5, 6)},
		{"scalar", file(dict("<f4", "False", ""), floats(7)...), graph.Float32, []int64{}, floats(7)},
		{"empty", file(dict("<f4", "False", "0, 3")), graph.Float32, []int64{0, 3}, nil},
		{"empty column-major", file(dict("<f4", "True", "3, 0")), graph.Float32, []int64{3, 0}, nil},
		{"version 2", version2, graph.Float32, []int64{2}, floats(1, 2)},
		{"column-major", file(dict("<f4", "True", "2, 3"), floats(1, 2, 3, 4, 5, 6)...), graph.Float32, []int64{2, 3}, floats(1, 3, 5, 2, 4, 6)},
		{"big-endian", file(dict(">i2", "False", "2"), 1, 2, 3, 4), graph.Int16, []int64{2}, []byte{2, 1, 4, 3}},
		{"big-endian complex", file(dict(">c8", "False", "1"), 1, 2, 3, 4, 5, 6, 7, 8), graph.Complex64, []int64{1}, []byte{4, 3, 2, 1, 8, 7, 6, 5}},
		{"bools", file(dict("|b1", "False", "2"), 1, 0), graph.Bool, []int64{2}, []byte{1, 0}},
		{"long dimensions", file(dict("|u1", "False", "2L,"), 9, 8), graph.Uint8, []int64{2}, []byte{9, 8}},
	} {
		got, err := Read(bytes.NewReader(c.file))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got.DType != c.elem || !slices.Equal(got.Dims, c.dims) || !bytes.Equal(got.Bytes(), c.data) {
			t.Errorf("%s: found %v%v %v, want %v%v %v", c.name, got.DType, got.Dims, got.Bytes(), c.elem, c.dims, c.data)
		}
	}
}

func TestReadErrors(t *testing.T) {
	good := file(dict("<f4", "False", "2,"), floats(1, 2)...)
	for _, c := range []struct{ name, file, want string }{
		{"empty file", "", "no magic number"},
		{"not npy", "\x89PNG\r\n\x1a\n", `starts with "\x89PNG`},
		{"version", "\x93NUMPY\x09\x00", "format version 9, want 1 to 3"},
		{"no length", "\x93NUMPY\x01\x00", "no header length"},
		{"header cut", string(good[:20]), "header cut short"},
		{"huge header", "\x93NUMPY\x02\x00\xff\xff\xff\xff", "header of 4294967295 bytes"},
		{"no shape", string(file("{'descr': '<f4', 'fortran_order': False}")), "lacks"},
		{"type", string(file(dict("<U8", "False", "1,"))), `"<U8"`},
		{"no type", string(file(dict("", "False", "1,"))), `""`},
		{"dimension", string(file(dict("<f4", "False", "-1,"))), `dimension "-1"`},
		{"overflow", string(file(dict("<f4", "False", "65536, 65536, 65536, 65536"))), "more than"},
		{"short", string(good[:len(good)-1]), "data of 7 bytes or more, want 8"},
		{"long", string(good) + "x", "data of 9 bytes or more, want 8"},
	} {
		_, err := Read(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// What is written reads back as it was, and begins as NumPy's own files do.
func TestWrite(t *testing.T) {
	for _, elem := range types {
		for _, dims := range [][]int64{{}, {3}, {2, 0}, {2, 3}} {
			n := int64(elem.Bits() / 8)
			for _, d := range dims {
				n *= d
			}
			data := make([]byte, n)
			for i := range data {
				data[i] = byte(i + 1)
			}
			x, err := graph.NewTensor(elem, dims, data)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := Write(&b, x); err != nil {
				t.Fatalf("%v%v: %v", elem, dims, err)
			}
			if at := b.Len() - len(data); at%64 != 0 {
				t.Errorf("%v%v: data at %d, want a multiple of 64", elem, dims, at)
			}
			y, err := Read(&b)
			if err != nil || y.DType != elem || !slices.Equal(y.Dims, dims) || !bytes.Equal(y.Bytes(), data) {
				t.Errorf("%v%v: read back %+v, error %v", elem, dims, y, err)
			}
		}
	}
}

func TestWriteOtherTypes(t *testing.T) {
	x, err := graph.NewTensor(graph.BFloat16, []int64{2}, []byte{0x80, 0x3f, 0x20, 0xc0})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(&b, x); err != nil {
		t.Fatal(err)
	}
	y, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(floats(1, -2.5), y.Bytes()); diff != "" || y.DType != graph.Float32 {
		t.Errorf("bfloat16 read back as %v (-want +got):\n%s", y.DType, diff)
	}
	s, err := graph.NewStrings([]int64{1}, [][]byte{[]byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, s); err == nil || !strings.Contains(err.Error(), "tensor of string") {
		t.Errorf("strings: error %v", err)
	}
}

// FuzzRead checks that no file panics, that what reads is no larger than its file, and that it is
// written and read as the same.
func FuzzRead(f *testing.F) {
	f.Add(file(dict("<f4", "False", "2, 1"), floats(1, 2)...))
	f.Add(file(dict(">i2", "True", "1, 2"), 1, 2, 3, 4))
	f.Add(file(dict("|b1", "False", ""), 1))
	f.Add(file(dict("<f8", "True", "2, 0, 3")))
	f.Add(file(dict(">c16", "False", "1,"), make([]byte, 16)...))
	f.Add(file(dict("|u1", "False", "2L,"), 9, 8))
	f.Add(file(dict("<f4", "False", "65536, 65536, 65536, 65536")))
	f.Add(file("{'descr': '<f4', 'fortran_order': False}"))
	f.Add([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		x, err := Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		if len(x.Bytes()) > len(file) {
			t.Fatalf("%v%v of %d bytes from a file of %d", x.DType, x.Dims, len(x.Bytes()), len(file))
		}
		if len(x.Dims) >= 1000 {
			return
		}
		var b bytes.Buffer
		if err := Write(&b, x); err != nil {
			t.Fatalf("%v%v: %v", x.DType, x.Dims, err)
		}
		y, err := Read(&b)
		if err != nil || y.DType != x.DType || !slices.Equal(y.Dims, x.Dims) || !bytes.Equal(y.Bytes(), x.Bytes()) {
			t.Errorf("%v%v is read back as %v, %v", x.DType, x.Dims, y, err)
		}
	})
}
