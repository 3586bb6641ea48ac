package spikingir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"spikingir/internal/atomicfile"
	"spikingir/runtime/train/checkpoint"
)

// claim locks the output and the checkpoint, and refuses a new run over that of an
// unfinished one, and to resume none.
func (f *finetuning) claim() (unlock func(), err error) {
	unlock = func() {}
	for _, path := range []string{f.Output, f.Checkpoint} {
		if path == "" {
			continue
		}
		free, err := lock(path)
		if err != nil {
			unlock()
			return nil, err
		}
		before := unlock
		unlock = func() { free(); before() }
	}
	if f.Checkpoint == "" {
		return unlock, nil
	}
	if err := f.unfinished(); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// lock locks a file by the name that it has behind links.
func lock(path string) (unlock func(), err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return func() {}, nil // a device takes what everybody writes
	}
	at, err := atomicfile.Target(path)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, atomicfile.Cause(err))
	}
	unlock, err = checkpoint.Lock(at)
	if errors.Is(err, checkpoint.ErrLocked) {
		return nil, badOption("%s: %v: want another --checkpoint or -o", path, err)
	}
	return unlock, err
}

// unfinished refuses a new run over the checkpoint of one that is not done, and to resume
// none.
func (f *finetuning) unfinished() error {
	_, err := os.Stat(f.Checkpoint)
	c, unread := checkpoint.Read(f.Checkpoint)
	unbegun := unread == nil && c.Position.Stage == 0 && c.Position.Step == 0
	switch {
	case err == nil && !f.Resume && !unbegun:
		return badOption("%s holds the state of an unfinished run: want --resume to go on with it, or the file removed to begin anew", f.Checkpoint)
	case errors.Is(err, fs.ErrNotExist) && f.Resume:
		return badOption("--resume: there is no checkpoint %s; a run that is done leaves none", f.Checkpoint)
	}
	return nil
}
