package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/runtime/exec"
)

// memorySize is the value of --memory in bytes, as exec takes it: negative for
// no limit.
type memorySize int64

// collectOften lets garbage add a fifth to what is in use, instead of as much again.
// It costs next to nothing where memory is a few large buffers of numbers, which are
// not searched. Whoever sets GOGC knows better.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(20)
	}
}

// addMemory adds --memory of commands that run images, which stays 0 where it is not given.
func addMemory(f *pflag.FlagSet, bytes *int64) {
	f.Var((*memorySize)(bytes), "memory", "what lies between a network's input and output may take this much: "+
		"a larger image runs tile by tile; 0 or none for any amount")
	f.Lookup("memory").DefValue = memorySize(exec.DefaultMemoryLimit).text()
}

// addBudget adds --memory of commands that compute something else.
func addBudget(f *pflag.FlagSet, bytes *int64, what string) {
	addBound(f, bytes, what, "a quarter of the machine's")
}

// addReading adds --memory of commands that only read models.
func (a *app) addReading(f *pflag.FlagSet) {
	addBound(f, &a.reading, "the file of a model, and its external data,", "three quarters of the machine's")
}

func addBound(f *pflag.FlagSet, bytes *int64, what, standard string) {
	f.Var((*memorySize)(bytes), "memory", what+" may take this much; 0 or none for any amount")
	f.Lookup("memory").DefValue = standard
}

// String gives a size that Set takes, or nothing where none was given.
func (m *memorySize) String() string {
	if *m == 0 {
		return ""
	}
	return m.text()
}

func (m memorySize) text() string {
	if m < 0 {
		return "none"
	}
	for _, unit := range []struct {
		name  string
		bytes memorySize
	}{{"GiB", humanize.GiByte}, {"MiB", humanize.MiByte}, {"KiB", humanize.KiByte}} {
		if m%unit.bytes == 0 {
			return fmt.Sprintf("%d%s", m/unit.bytes, unit.name)
		}
	}
	return fmt.Sprint(int64(m))
}

// Type is what help calls the value.
func (m *memorySize) Type() string { return "size" }

// Set reads a size. A comma, which the parser would skip, is refused: 1,5GiB would
// be 15 of them. What comes to no byte at all is no way to say no limit.
func (m *memorySize) Set(s string) error {
	if s == "0" || strings.EqualFold(s, "none") {
		*m = -1
		return nil
	}
	n, err := humanize.ParseBytes(s)
	if err != nil || n < 1 || n > math.MaxInt64 || strings.Contains(s, ",") {
		return fmt.Errorf("want a size such as 512MiB, 1.5GiB, 2GB or a number of bytes, or 0 or none for no limit")
	}
	*m = memorySize(n)
	return nil
}

// size is bytes for people to read.
func size(bytes int64) string { return humanize.IBytes(uint64(bytes)) }

// enough is the least number of MiB, or of KiB where these are few, that
// holds so many bytes.
func enough(bytes int64) string {
	if bytes < 10*humanize.MiByte {
		return fmt.Sprintf("%dKiB", (bytes+humanize.KiByte-1)/humanize.KiByte)
	}
	return fmt.Sprintf("%dMiB", (bytes+humanize.MiByte-1)/humanize.MiByte)
}

// checkMemory refuses an image that takes more than --memory however it is run.
func checkMemory(t spikingir.Tiling, w, h int) error {
	switch limit := size(t.Limit); {
	case t.Fits():
		return nil
	case t.Whole != nil:
		return fmt.Errorf("%dx%d pixels take %s between input and output, --memory allows %s, and the network runs on whole images only (%w): "+
			"want --memory %s or more, or a smaller image", w, h, size(t.WholeBytes), limit, t.Whole, enough(t.WholeBytes))
	case t.Tiles() == 1:
		return fmt.Errorf("%dx%d pixels take %s between input and output, --memory allows %s, and tiles would overlap too much to take less: "+
			"want --memory %s or more, or a smaller image", w, h, size(t.WholeBytes), limit, enough(t.WholeBytes))
	default:
		return fmt.Errorf("the smallest tiles worth running, %dx%d of the %dx%d pixels, take %s between input and output, --memory allows %s: "+
			"want --memory %s or more, or none for the whole image in %s",
			t.Width, t.Height, w, h, size(t.Bytes), limit, enough(t.Bytes), size(t.WholeBytes))
	}
}

// tiled is the report of an image that was cut, as part of a line; nothing for nil.
func tiled(t *spikingir.Tiling) string {
	if t == nil {
		return ""
	}
	var overlap []string
	if t.OverlapRows > 0 {
		overlap = append(overlap, fmt.Sprintf("%d rows", t.OverlapRows))
	}
	if t.OverlapColumns > 0 {
		overlap = append(overlap, fmt.Sprintf("%d columns", t.OverlapColumns))
	}
	shared := ""
	if len(overlap) > 0 {
		shared = " that overlap by " + strings.Join(overlap, " and ")
	}
	return fmt.Sprintf(", %d tiles of %dx%d%s, in %s instead of %s", t.Tiles(), t.Width, t.Height,
		shared, size(t.Bytes), size(t.WholeBytes))
}
