package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"spikingir/internal/atomicfile"
	"spikingir/runtime/train"
	"spikingir/runtime/train/checkpoint"
)

// open makes the log, or makes it end where a run goes on.
func (r *reporter) open(from *checkpoint.Position) (err error) {
	if r.t.logFile == "" {
		return nil
	}
	if from == nil {
		r.log, err = os.Create(r.t.logFile)
	} else {
		r.log, err = reopenLog(r.t.logFile, *from)
	}
	if err != nil {
		return fmt.Errorf("log %s: %w", r.t.logFile, atomicfile.Cause(err))
	}
	return nil
}

// reopenLog cuts a log after the events that lie before a position. What was logged
// after it is done again, and what a process that was killed left of a line goes.
func reopenLog(path string, from checkpoint.Position) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	end, err := logEnd(f, from)
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// logEnd is the length of the events up to a position.
func logEnd(r io.Reader, from checkpoint.Position) (end int64, err error) {
	b := bufio.NewReader(r)
	for line := 1; ; line++ {
		text, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return 0, err
		}
		var e train.Event
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return 0, fmt.Errorf("line %d is no event of a run: %w", line, err)
		}
		if e.Stage > from.Stage || e.Stage == from.Stage && uint64(e.Step) > from.Step {
			return end, nil
		}
		end += int64(len(text))
	}
}

// write adds an event to the log. A log that cannot be written does not stop a run.
func (r *reporter) write(e train.Event) {
	if r.log == nil || r.broken {
		return
	}
	b, err := json.Marshal(e)
	if err == nil {
		_, err = r.log.Write(append(b, '\n'))
	}
	if err != nil {
		r.broken = true
		r.Warnf("log %s: %v; nothing more is logged", r.t.logFile, atomicfile.Cause(err))
	}
}
