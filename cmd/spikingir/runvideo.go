package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"spikingir/cmd/internal/cli"
	"spikingir/internal/atomicfile"
	"spikingir/runtime/watch"
	"spikingir/runtime/y4m"
)

// A video is a Y4M stream that is restored frame by frame, in the memory of one frame.
type video struct {
	m     *loaded
	r     *restoration
	in    *y4m.Reader
	to    y4m.Header
	out   *y4m.Writer // when the first frame tells the size
	frame y4m.Frame
	done  restored
}

// restoreVideo restores a Y4M stream, whose first bytes told that it is one.
func (a *app) restoreVideo(ctx context.Context, m *loaded, j job, r *restoration, in *bufio.Reader, step func(done, total int)) (restored, error) {
	if j.out != stream && !strings.EqualFold(filepath.Ext(j.out), ".y4m") {
		return restored{}, fmt.Errorf("%s is a Y4M video, and so is what becomes of it: want an output name that ends in .y4m, or -", j.name())
	}
	reader, err := y4m.NewReader(in)
	if err != nil {
		return restored{}, fmt.Errorf("%s: %w", j.name(), err)
	}
	v := &video{m: m, r: r, in: reader}
	all := func(w io.Writer) error {
		for n := 0; ; n++ {
			watch.Of(ctx).Task("restoring frame %d of %s", n+1, j.name())
			err := v.next(ctx, w)
			if err == io.EOF && n > 0 {
				return nil
			}
			if err == io.EOF {
				err = fmt.Errorf("the video has no frame")
			}
			if err != nil {
				return err
			}
			v.done.Frames = n + 1
			step(n+1, -1)
		}
	}
	if j.out == stream {
		err = a.toStdout(all)
	} else {
		err = cli.Writing(j.out, atomicfile.Write(j.out, false, all))
	}
	if err != nil {
		return restored{}, fmt.Errorf("%s: %w", j.name(), err)
	}
	v.done.Input, v.done.Output = j.in, j.out
	return v.done, nil
}

// next restores a frame. A network that takes and gives one channel gets luma, and chroma is
// kept; any other gets colour.
func (v *video) next(ctx context.Context, w io.Writer) error {
	if err := v.in.Next(&v.frame); err != nil {
		return err
	}
	luma := v.m.Channels() != 3 && v.m.Gives() != 3 && (v.in.Space.Mono() || !v.r.run.EachChannel)
	img := v.in.Luma(&v.frame)
	if !luma {
		var err error
		if img, err = v.in.RGB(&v.frame); err != nil {
			return err
		}
	}
	out, done, err := v.r.restore(ctx, v.m, img)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	v.to = v.in.Sized(out.W, out.H, out.C == 3)
	if luma = luma && out.C == 1; luma {
		err = v.in.SetLuma(&v.frame, v.to, out)
		if !v.in.Space.Mono() {
			done.How = v.r.what(v.m, 3, 1) + v.r.tileSize(v.m, img)
		}
	} else {
		err = v.to.SetRGB(&v.frame, out)
	}
	if err != nil {
		return err
	}
	v.done = done
	if v.out == nil {
		if v.out, err = y4m.NewWriter(w, v.to); err != nil {
			return err
		}
	}
	return v.out.Write(&v.frame)
}
