package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/internal/atomicfile"
	"spikingir/internal/regular"
	"spikingir/runtime/cluster"
	"spikingir/runtime/dataset"
	"spikingir/runtime/watch"
	"spikingir/runtime/y4m"
)

// stream is what standard input and standard output are called on the command line.
const stream = "-"

// job is one image or video to restore.
type job struct{ in, out string }

// name is what errors call the input.
func (j job) name() string {
	if j.in == stream {
		return "standard input"
	}
	return j.in
}

// restored is what run reports of an image or a video.
type restored struct {
	Input  string            `json:"input"`
	Output string            `json:"output,omitempty"`
	Width  int               `json:"width,omitempty"`
	Height int               `json:"height,omitempty"`
	Frames int               `json:"frames,omitempty"` // of a video
	How    string            `json:"how,omitempty"`
	Tiles  *spikingir.Tiling `json:"tiles,omitempty"`
	Error  string            `json:"error,omitempty"` // why there is no output
}

// line is the report for people.
func (d restored) line() string {
	frames := ""
	if d.Frames > 0 {
		frames = fmt.Sprintf("%d frames, ", d.Frames)
	}
	return fmt.Sprintf("%s -> %s: %dx%d, %s%s%s", d.Input, d.Output, d.Width, d.Height, frames, d.How, tiled(d.Tiles))
}

// checkStdout refuses what cannot go to standard output beside a picture, or to a terminal.
func (a *app) checkStdout() error {
	switch {
	case a.format == "json":
		return fmt.Errorf("--format json and --output - both write to standard output, want a file for the image")
	case cli.IsTerminal(a.stdout):
		return fmt.Errorf("--output - writes an image, and standard output is a terminal: want a pipe or a file")
	}
	return nil
}

// outcome is what came of an image: what is reported, or why there is no output. The fields
// are those that other processes are sent.
type outcome struct {
	Done restored
	Code int // the exit code that Done.Error stands for
}

// restoreAll restores images one by one. Of a folder those that fail are left out, and told;
// what cannot be written ends it. Several processes share a folder out.
func (a *app) restoreAll(ctx context.Context, m *loaded, jobs []job, r *restoration) error {
	collectOften()
	step, end := a.Progress("restoring")
	defer end()
	one := func(i int) (outcome, error) {
		watch.Of(ctx).Task("restoring %s", jobs[i].in)
		o, err := a.outcome(ctx, m, jobs[i], r, step)
		if err == nil {
			step(i+1, len(jobs))
		}
		return o, err
	}
	all := make([]outcome, 0, len(jobs))
	tell := func(i int, o outcome) {
		all = append(all, o)
		a.tellOutcome(jobs[i], o)
	}
	if a.cluster.Size() > 1 {
		list, err := shareOutcomes(a.cluster, len(jobs), one)
		if err != nil {
			return err
		}
		for i, o := range list {
			tell(i, o)
		}
	} else {
		for i := range jobs {
			o, err := one(i)
			if err != nil {
				return err
			}
			tell(i, o)
		}
	}
	return a.restoredAll(all, r)
}

// shareOutcomes has images restored in whichever process is free.
func shareOutcomes(c cluster.Comm, n int, one func(i int) (outcome, error)) ([]outcome, error) {
	list, err := cluster.Map(c, n, func(i int) ([]byte, error) {
		o, err := one(i)
		if err != nil {
			return nil, err
		}
		return json.Marshal(o)
	})
	if err != nil {
		return nil, err
	}
	all := make([]outcome, len(list))
	for i, b := range list {
		if err := json.Unmarshal(b, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// outcome restores an image or a video; an error ends the command.
func (a *app) outcome(ctx context.Context, m *loaded, j job, r *restoration, step func(done, total int)) (outcome, error) {
	done, err := a.restoreJob(ctx, m, j, r, step)
	if e := ctx.Err(); e != nil {
		return outcome{}, e
	}
	var final *cannotWrite
	switch {
	case errors.As(err, &final):
		return outcome{}, final.error
	case err != nil && !r.folder:
		return outcome{}, err
	case err != nil:
		return outcome{restored{Input: j.in, Error: cli.OneLine(err)}, cli.ExitCode(ctx, err)}, nil
	}
	return outcome{Done: done}, nil
}

// tellOutcome tells people of an image.
func (a *app) tellOutcome(j job, o outcome) {
	switch {
	case o.Code != 0:
		fmt.Fprintf(a.Err, "%s: %s\n", a.Name, o.Done.Error)
	case !a.Quiet && a.format == "text":
		w := a.out
		if j.out == stream {
			w = a.Err
		}
		fmt.Fprintln(w, cli.Line(o.Done.line()))
	}
}

// restoredAll reports on all images.
func (a *app) restoredAll(all []outcome, r *restoration) error {
	list, failed, code := []restored{}, 0, 0
	for _, o := range all {
		list = append(list, o.Done)
		if o.Code != 0 {
			if failed++; failed == 1 {
				code = o.Code
			}
		}
	}
	if a.format == "json" {
		if err := a.json(list); err != nil {
			return err
		}
	}
	if failed > 0 {
		return &cli.CodeError{Code: code, Err: fmt.Errorf("%d of %d images of %s could not be restored; the rest is in %s",
			failed, len(all), r.in, r.out)}
	}
	return nil
}

// cannotWrite is an error that the next image would meet as well.
type cannotWrite struct{ error }

// restoreJob restores an image or a video.
func (a *app) restoreJob(ctx context.Context, m *loaded, j job, r *restoration, step func(done, total int)) (restored, error) {
	in, isVideo, end, err := a.source(j)
	if err != nil {
		return restored{}, err
	}
	defer end()
	if isVideo {
		return a.restoreVideo(ctx, m, j, r, in, step)
	}
	if strings.EqualFold(filepath.Ext(j.out), ".y4m") {
		return restored{}, fmt.Errorf("%s is no Y4M video, and output %s would be one: want a name that ends in .png", j.name(), j.out)
	}
	p, err := readPicture(j, in)
	if err != nil {
		return restored{}, err
	}
	if p.Note != "" {
		a.Warnf("%s: %s", j.in, p.Note)
	}
	out, done, err := r.restore(ctx, m, p.Image)
	if err != nil {
		return restored{}, fmt.Errorf("%s: %w", j.name(), err)
	}
	if p, err = p.With(out); err == nil {
		err = p.Check()
	}
	if err != nil {
		return restored{}, fmt.Errorf("%s: %w", j.name(), err)
	}
	done.Input, done.Output = j.in, j.out
	if err := a.writePicture(j.out, p); err != nil {
		return restored{}, &cannotWrite{err}
	}
	return done, nil
}

// source opens an input, and tells a video from an image.
func (a *app) source(j job) (r *bufio.Reader, isVideo bool, end func(), err error) {
	var in io.Reader = a.stdin
	end = func() {}
	if j.in != stream {
		f, _, err := regular.Open(j.in)
		if err != nil {
			return nil, false, nil, fmt.Errorf("read image %s: %w", j.in, atomicfile.Cause(err))
		}
		in, end = f, func() { f.Close() }
	}
	r = bufio.NewReader(in)
	head, _ := r.Peek(len(y4m.Magic)) // reading on gives the error
	return r, string(head) == y4m.Magic, end, nil
}

// readPicture reads the image of a file, or of what was opened.
func readPicture(j job, in io.Reader) (dataset.Picture, error) {
	if j.in != stream {
		return dataset.ReadPicture(j.in)
	}
	p, err := dataset.DecodePicture(in)
	if err != nil {
		err = fmt.Errorf("%s: %w", j.name(), err)
	}
	return p, err
}

// writePicture writes an image, to standard output too.
func (a *app) writePicture(path string, p dataset.Picture) error {
	if path == stream {
		return a.toStdout(func(w io.Writer) error { return dataset.EncodePicture(w, p) })
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return cli.Writing(path, dataset.WritePicture(path, p))
}

// toStdout writes what is no text to standard output.
func (a *app) toStdout(fill func(io.Writer) error) error {
	err := fill(a.stdout)
	if c := atomicfile.Cause(err); c != err {
		return fmt.Errorf("standard output: %w", c)
	}
	return err
}

// restore restores an image, enlarged before as --scale says.
func (r *restoration) restore(ctx context.Context, m *loaded, img spikingir.Image) (out spikingir.Image, done restored, err error) {
	if r.scale > 1 {
		if img, err = spikingir.Enlarge(img, float64(r.scale)); err != nil {
			return out, done, err
		}
	}
	t := m.Tiling(img.W, img.H)
	if err := checkMemory(t, img.W, img.H); err != nil {
		return out, done, err
	}
	if out, err = m.Restore(ctx, img); err != nil {
		return out, done, err
	}
	done = restored{Width: out.W, Height: out.H, How: r.what(m, img.C, out.C) + r.tileSize(m, img)}
	if t.Tiles() > 1 {
		done.Tiles = &t
	}
	return out, done, nil
}

// tileSize says in what tiles of the network's own an image was restored.
func (r *restoration) tileSize(m *loaded, img spikingir.Image) string {
	if w, h := m.Size(); r.run.Tile && (w > 0 && w != img.W || h > 0 && h != img.H) {
		return fmt.Sprintf(", in tiles of %dx%d pixels", w, h)
	}
	return ""
}

// what says what of an image of so many channels was restored, to how many.
func (r *restoration) what(m *loaded, from, to int) string {
	switch {
	case m.Channels() == 3 && to == 1:
		return "gray of colour"
	case m.Channels() != 3 && to == 3 && (m.Gives() == 3 || from == 1):
		return "colour of gray"
	case m.Channels() == 3:
		return "colour"
	case from == 1:
		return "gray"
	case r.run.EachChannel:
		return "each of red, green and blue"
	}
	return "luma, chroma kept"
}
