package patches

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"

	"spikingir/internal/regular"
	"spikingir/runtime/dataset"
	"spikingir/runtime/watch"
)

// A digest is the SHA-256 of a file's content.
type digest [sha256.Size]byte

// files are the paths of one sample; input is empty where it is made from the
// target. scene is the target's content, which decides what belongs together.
type files struct {
	input, target string
	scene         digest
}

// listing is what the folders hold: samples with files of their own, or clean
// images to degrade, and clear images to haze.
type listing struct {
	real, haze []files
	sums       map[string]digest // by path
}

// find lists the folders and hashes every file once, until the context ends.
func find(ctx context.Context, o Options) (*listing, error) {
	l := &listing{sums: map[string]digest{}}
	paired := o.Task.Kind != dataset.Dehaze || o.Dirs.Data != ""
	if paired {
		if err := hasPairs(o); err != nil {
			return nil, err
		}
		set, err := dataset.Open(o.Task, o.Dirs, 0, 0)
		if err != nil {
			return nil, err
		}
		for i := range set.Len() {
			input, target := set.Paths(i)
			l.real = append(l.real, files{input: input, target: target})
		}
	}
	if o.Task.Kind == dataset.Dehaze {
		paths, err := clearImages(o, paired)
		if err != nil {
			return nil, fmt.Errorf("open dehaze data: %w", err)
		}
		for _, p := range paths {
			l.haze = append(l.haze, files{target: p})
		}
	}
	for _, list := range [][]files{l.real, l.haze} {
		for i := range list {
			watch.Of(ctx).Task("hashing image %d of %d", i+1, len(list))
			if err := l.hash(ctx, &list[i]); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// clearImages lists the images to haze, none where haze is not asked for.
func clearImages(o Options, paired bool) ([]string, error) {
	switch {
	case paired && o.HazeShare == 0 && o.HazeDir != "":
		return nil, fmt.Errorf("folder %s of clear images is given, but the share of synthetic haze is 0",
			o.HazeDir)
	case paired && o.HazeShare == 0:
		return nil, nil
	case o.HazeDir != "":
		return dataset.List(o.HazeDir)
	case o.Dirs.Input != "" || o.Dirs.Target != "":
		return nil, errors.New("an input or target folder is given, want a data folder only")
	case !paired:
		return nil, errors.New("no data folder is given")
	}
	return dataset.List(filepath.Join(o.Dirs.Data, "clear"))
}

// hasPairs refuses a data folder of dehazing without pairs: images beside each other in it could be
// hazy ones as well as clear ones.
func hasPairs(o Options) error {
	if o.Task.Kind != dataset.Dehaze || !isFolder(o.Dirs.Data) || o.Dirs.Input != "" || o.Dirs.Target != "" {
		return nil
	}
	for _, name := range []string{"hazy", "clear"} {
		if !isFolder(filepath.Join(o.Dirs.Data, name)) {
			return fmt.Errorf("data folder %[1]s has no folder %[2]s: dehazing learns from pairs, want the hazy images in %[3]s and "+
				"the clear ones, by their leading names, in %[4]s; or give a folder of clear images alone as the one that haze is synthesised over (--haze-clear)",
				o.Dirs.Data, name, filepath.Join(o.Dirs.Data, "hazy"), filepath.Join(o.Dirs.Data, "clear"))
		}
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// hash fills in the scene of f and records the sums of its files.
func (l *listing) hash(ctx context.Context, f *files) error {
	for _, path := range []string{f.input, f.target} {
		if _, known := l.sums[path]; known || path == "" {
			continue
		}
		sum, err := sumFile(ctx, path)
		if err != nil {
			return fmt.Errorf("read image: %w", err)
		}
		l.sums[path] = sum
	}
	f.scene = l.sums[f.target]
	return nil
}

func sumFile(ctx context.Context, path string) (digest, error) {
	f, _, err := regular.Open(path)
	if err != nil {
		return digest{}, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, &heeding{ctx, f}); err != nil {
		return digest{}, err
	}
	return digest(h.Sum(nil)), nil
}

// heeding is a reader that ends with its context.
type heeding struct {
	ctx context.Context
	r   io.Reader
}

func (h *heeding) Read(b []byte) (int, error) {
	if err := h.ctx.Err(); err != nil {
		return 0, err
	}
	return h.r.Read(b)
}

// sum hashes the names and the contents of all files in order.
func (l *listing) sum() digest {
	h := sha256.New()
	for _, part := range []struct {
		role string
		list []files
	}{{"sample", l.real}, {"haze", l.haze}} {
		for _, f := range part.list {
			fmt.Fprintln(h, part.role)
			for _, path := range []string{f.input, f.target} {
				if path != "" {
					fmt.Fprintf(h, "%q %x\n", filepath.Base(path), l.sums[path])
				}
			}
		}
	}
	return digest(h.Sum(nil))
}

// heldOut chooses the scenes to keep for validation: those whose hash, mixed
// once more so that it is no property of the content, is least.
func heldOut(list []files, share float64) (map[digest]bool, error) {
	if share == 0 {
		return nil, nil
	}
	ranks := map[digest]digest{}
	var scenes []digest
	for _, f := range list {
		if _, seen := ranks[f.scene]; !seen {
			ranks[f.scene] = sha256.Sum256(append([]byte("held out"), f.scene[:]...))
			scenes = append(scenes, f.scene)
		}
	}
	n := len(scenes)
	if n < 2 {
		return nil, fmt.Errorf("%d different image to hold %g %% out of, want at least 2", n, 100*share)
	}
	slices.SortFunc(scenes, func(a, b digest) int {
		x, y := ranks[a], ranks[b]
		return bytes.Compare(x[:], y[:])
	})
	out := map[digest]bool{}
	for _, s := range scenes[:min(max(int(math.Round(share*float64(n))), 1), n-1)] {
		out[s] = true
	}
	return out, nil
}

// An item is one thing to cut from, with the places it counts for.
type item struct {
	name          string
	target, input *frame // input nil: made from the cut target
}

// A list of items and the number of places before each.
type list struct {
	items []item
	start []uint64
	total uint64
}

func (l *list) add(it item, places uint64) {
	l.items = append(l.items, it)
	l.start = append(l.start, l.total)
	l.total += places
}

// at returns the item that place belongs to.
func (l *list) at(place uint64) *item {
	return &l.items[sort.Search(len(l.start), func(k int) bool { return l.start[k] > place })-1]
}
