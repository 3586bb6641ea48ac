package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// small is a checkpoint of a few hundred bytes.
func small() *Checkpoint {
	return &Checkpoint{
		Header: Header{Model: "0a", Data: "1b", Position: Position{Step: 7}},
		Arrays: []Array{{Name: "w", Float32: []float32{1, 2}}, {Name: "s", Uint64: []uint64{3}}, {Name: "n", Uint64: []uint64{4}}},
	}
}

// TestEveryBit flips each bit of a file in turn, cuts it at each length and
// appends to it.
func TestEveryBit(t *testing.T) {
	whole := encoded(t, small())
	if _, err := decode(whole); err != nil {
		t.Fatal(err)
	}
	for i := range 8 * len(whole) {
		b := bytes.Clone(whole)
		b[i/8] ^= 1 << (i % 8)
		if _, err := decode(b); err == nil {
			t.Errorf("bit %d of byte %d flipped: no error", i%8, i/8)
		}
	}
	for n := range len(whole) {
		if _, err := decode(whole[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(whole))
		}
	}
	if _, err := decode(append(bytes.Clone(whole), 0)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("appended to: %v", err)
	}
}

// seal gives a file the length and the checksum that its content wants.
func seal(b []byte) []byte {
	b = bytes.Clone(b)
	if len(b) >= prefix {
		binary.LittleEndian.PutUint64(b[16:], uint64(len(b)+trailer))
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// forged is a file with a header and a body of the caller's choice.
func forged(head, body string) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(magic), version)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(head)))
	b = binary.LittleEndian.AppendUint64(b, 0)
	return seal(append(b, head+body...))
}

// forgeries are files whose checksum is right and whose content is not.
func forgeries(t testing.TB) map[string][]byte {
	put := func(at int, v uint32) []byte {
		b := encoded(t, small())
		binary.LittleEndian.PutUint32(b[at:], v)
		return seal(b[:len(b)-trailer])
	}
	header := func(arrays string) string {
		return `{"model_sha256":"","data_sha256":"","position":{"stage":0,"step":0,"total":0,"patch":0,"seconds":0},"arrays":[` + arrays + `]}`
	}
	array := func(name, kind string, n int64) string {
		return fmt.Sprintf(`{"name":%q,"type":%q,"length":%d}`, name, kind, n)
	}
	return map[string][]byte{
		"not a checkpoint":                []byte("hello, this is another file, and a longer one than the least"),
		"format version 2, want 1":        put(8, 2),
		"says its header has 4294967295":  put(12, math.MaxUint32),
		"cut short: it holds 30 bytes":    encoded(t, small())[:30],
		"header of the checkpoint: unexp": forged(`{"model_sha256":`, ""),
		"header of the checkpoint: json":  forged(`{"extra":1}`, ""),
		"more than one value":             forged(header("")+"{}", ""),
		"cannot unmarshal":                forged(`{"arrays":7}`, ""),
		"unknown array type":              forged(header(array("a", "int8", 1)), "x"),
		"says it has 9223372036854775807": forged(header(array("a", "uint64", math.MaxInt64)), "12345678"),
		"says it has -1 values":           forged(header(array("a", "uint64", -1)), ""),
		"says it has 3 values":            forged(header(array("a", "float32", 1)+","+array("b", "float32", 3)), "1234123412341"),
		"take 4 bytes, want all 5":        forged(header(array("a", "float32", 1)), "12345"),
		"is empty, no text or taken":      forged(header(array("a", "float32", 1)+","+array("a", "float32", 1)), "12341234"),
	}
}

func TestForged(t *testing.T) {
	for want, b := range forgeries(t) {
		if _, err := decode(b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestBoundedMemory reads a file whose arrays claim more than there is.
func TestBoundedMemory(t *testing.T) {
	huge := forgeries(t)["says it has 9223372036854775807"]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := decode(huge); err == nil {
		t.Fatal("no error")
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("refusing %d bytes took %d bytes of memory", len(huge), n)
	}
}

// FuzzDecode checks that no file panics, whether its checksum is right or not,
// and that what is accepted is no larger than the file and survives a round trip.
func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, small()))
	for _, b := range forgeries(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, file := range [][]byte{b, seal(b), seal(b[:max(len(b)-trailer, 0)])} {
			c, err := decode(file)
			if err != nil {
				continue
			}
			bytesOf := 0
			for _, a := range c.Arrays {
				bytesOf += 4*len(a.Float32) + 8*len(a.Uint64)
			}
			if bytesOf > len(file) {
				t.Errorf("%d bytes of arrays from a file of %d", bytesOf, len(file))
			}
			again := encoded(t, c)
			d, err := decode(again)
			if err != nil {
				t.Fatalf("what was accepted is refused when written again: %v", err)
			}
			if !bytes.Equal(encoded(t, d), again) {
				t.Error("a second round trip changes the bytes")
			}
		}
	})
}

// killedEnv tells the test binary to write checkpoints until it is killed.
const killedEnv = "SPIKINGIR_TEST_CHECKPOINT"

// TestKilled kills a process that writes one checkpoint after another, at random
// moments: the file is always whole and never goes back.
func TestKilled(t *testing.T) {
	if path := os.Getenv(killedEnv); path != "" {
		writeForever(t, path)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Skipf("no path to the test binary: %v", err)
	}
	path := filepath.Join(t.TempDir(), "run.ckpt")
	if err := Write(path, numbered(0)); err != nil {
		t.Fatal(err)
	}
	last := uint64(0)
	for k := range 8 {
		cmd := exec.Command(exe, "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), killedEnv+"="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, path, last)
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait() // it was killed, which is an error
		c, err := Read(path)
		if err != nil {
			t.Fatalf("after kill %d: %v", k, err)
		}
		n := c.Position.Step
		if n <= last || c.Arrays[0].Uint64[len(c.Arrays[0].Uint64)-1] != n {
			t.Errorf("after kill %d the checkpoint is number %d, before it was %d", k, n, last)
		}
		last = n
	}
}

// waitFor waits until the checkpoint at path is of a later number than last: the
// process that writes it may start slowly on a busy machine.
func waitFor(t *testing.T, path string, last uint64) {
	begin := time.Now()
	for time.Since(begin) < time.Minute {
		c, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.Position.Step > last {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("no process wrote a checkpoint after number %d", last)
}

// writeForever goes on from the checkpoint at path, should nobody kill it for a
// minute only.
func writeForever(t *testing.T, path string) {
	c, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for n := c.Position.Step + 1; time.Since(begin) < time.Minute; n++ {
		if err := Write(path, numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
}

// numbered is a checkpoint that holds n at both ends.
func numbered(n uint64) *Checkpoint {
	data := make([]uint64, 1<<15)
	data[len(data)-1] = n
	return &Checkpoint{Header: Header{Position: Position{Step: n}}, Arrays: []Array{{Name: "data", Uint64: data}}}
}

func BenchmarkEncode(b *testing.B) {
	c := &Checkpoint{Arrays: []Array{{Name: "w", Float32: make([]float32, 1<<20)}}}
	b.SetBytes(4 << 20)
	for b.Loop() {
		var out bytes.Buffer
		if err := Encode(&out, c); err != nil {
			b.Fatal(err)
		}
	}
}
