package patches

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"spikingir/runtime/dataset"
)

// A Source makes patches. It may be used by many goroutines.
type Source struct {
	o     Options
	cache cache
	// real are samples of files and of clean images degraded, haze those whose
	// haze is synthesised; valid are held out of both.
	real, haze list
	valid      []item
	validHaze  bool // the inputs of valid are synthesised
	skipped    []string
	sum        digest
}

// Open lists and hashes the files, and decodes each image, so that one that cannot be is found
// before training and not in the midst of it. Images smaller than a patch are passed over, see
// [Source.Skipped]; that none is left is an error.
func Open(o Options) (*Source, error) { return OpenContext(context.Background(), o) }

// OpenContext is Open until the context ends, which folders of many images may take long to.
func OpenContext(ctx context.Context, o Options) (*Source, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	s := &Source{o: o.filled()}
	s.cache.task = o.Task
	s.cache.room.Store(max(s.o.Cache, 0))
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("training data: %w", err)
	}
	return s, nil
}

func (s *Source) open(ctx context.Context) error {
	found, err := find(ctx, s.o)
	if err != nil {
		return err
	}
	s.sum = found.sum()
	b := builder{ctx: ctx, s: s, frames: map[frameKey]*frame{}, small: map[*frame]bool{}}
	if found.real, err = b.large(found.real); err != nil {
		return err
	}
	if found.haze, err = b.large(found.haze); err != nil {
		return err
	}
	primary := found.real
	if len(primary) == 0 {
		primary, s.validHaze = found.haze, true
	}
	held, err := heldOut(primary, s.o.ValidationShare)
	if err != nil {
		return err
	}
	for _, f := range primary {
		if held[f.scene] {
			s.valid = append(s.valid, b.item(f))
		}
	}
	b.fill(&s.real, found.real, held)
	b.fill(&s.haze, found.haze, held)
	if len(found.haze) > 0 && s.haze.total == 0 {
		return errors.New("every clear image to haze is held out for validation, want others too")
	}
	return s.decode(ctx)
}

// A builder turns files into items. Frames that several items share, such as the
// clear image of many hazy ones, exist once.
type builder struct {
	ctx    context.Context
	s      *Source
	frames map[frameKey]*frame
	small  map[*frame]bool // those that no patch fits into
}

type frameKey struct {
	path     string
	degraded bool
}

// large returns the files that a patch fits into and notes the others.
func (b *builder) large(all []files) ([]files, error) {
	var fit []files
	for _, f := range all {
		if err := b.ctx.Err(); err != nil {
			return nil, err
		}
		target, err := b.frame(f.target)
		if err != nil {
			return nil, err
		}
		if f.input != "" {
			input, err := b.frame(f.input)
			if err != nil {
				return nil, err
			}
			if input.h != target.h || input.w != target.w {
				return nil, fmt.Errorf("%s is %dx%d pixels and its target %s is %dx%d, want equal sizes",
					f.input, input.w, input.h, f.target, target.w, target.h)
			}
		}
		if min(target.h, target.w) < b.s.o.Patch {
			if !b.small[target] { // an image may be in pairs, and to haze too
				b.small[target] = true
				b.s.skipped = append(b.s.skipped, fmt.Sprintf("%s is %dx%d pixels, want at least %[4]dx%[4]d",
					f.target, target.w, target.h, b.s.o.Patch))
			}
			continue
		}
		fit = append(fit, f)
	}
	if len(all) > 0 && len(fit) == 0 {
		return nil, fmt.Errorf("none of %d images is as large as a patch: %s",
			len(all), b.s.skipped[len(b.s.skipped)-1])
	}
	return fit, nil
}

// frame returns the frame of a file, whose size is read once.
func (b *builder) frame(path string) (*frame, error) {
	key := frameKey{path: path}
	if f := b.frames[key]; f != nil {
		return f, nil
	}
	h, w, err := dataset.ReadSize(path)
	if err != nil {
		return nil, err
	}
	f := &frame{path: path}
	f.h, f.w = b.s.o.Task.PreparedSize(h, w)
	b.frames[key] = f
	return f, nil
}

// item returns the item of files that large has seen.
func (b *builder) item(f files) item {
	it := item{name: filepath.Base(f.target), target: b.frames[frameKey{path: f.target}]}
	switch {
	case f.input != "":
		it.name, it.input = filepath.Base(f.input), b.frames[frameKey{path: f.input}]
	case b.s.o.Task.Kind == dataset.SR:
		key := frameKey{f.target, true}
		if b.frames[key] == nil {
			b.frames[key] = &frame{path: f.target, from: it.target}
		}
		it.input = b.frames[key]
	}
	return it
}

// fill adds the items of all files that are not held out.
func (b *builder) fill(l *list, all []files, held map[digest]bool) {
	side := b.s.o.Patch
	for _, f := range all {
		if !held[f.scene] {
			it := b.item(f)
			l.add(it, uint64(it.target.h/side*(it.target.w/side)))
		}
	}
}

// Epoch is the number of patches after which every file was cut from as often
// as non-overlapping patches fit into it.
func (s *Source) Epoch() uint64 {
	switch {
	case s.real.total == 0:
		return s.haze.total
	case s.o.HazeShare == 0:
		return s.real.total
	case s.o.HazeShare == 1:
		return s.haze.total
	}
	return uint64(math.Ceil(float64(s.real.total) / (1 - s.o.HazeShare)))
}

// Options are those that the source was opened with, with defaults in place.
func (s *Source) Options() Options { return s.o }

// Skipped describes, one line each, the images that are too small for a patch.
// They are neither trained nor validated on.
func (s *Source) Skipped() []string { return s.skipped }

// SHA256 is the hash, in hexadecimal, of the names (without folders) and the
// contents of all files, those skipped and held out too.
func (s *Source) SHA256() string { return hex.EncodeToString(s.sum[:]) }

// String describes the source in one line.
func (s *Source) String() string {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(len(s.real.items), "images")
	add(len(s.haze.items), "images to haze")
	add(len(s.valid), "held out")
	add(len(s.skipped), "too small")
	return fmt.Sprintf("%s: %s, %d patches of %d pixels an epoch",
		s.o.Task, strings.Join(parts, ", "), s.Epoch(), s.o.Patch)
}
