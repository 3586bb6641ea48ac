package spikingir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"spikingir/internal/atomicfile"
	"spikingir/runtime/train/checkpoint"
)

// An eventLog is a file of JSON lines, one for each event.
type eventLog struct{ file *os.File }

// open begins a log, or makes it end where a run goes on, after the events that lie
// before a position: what was logged after it is done again, and what a process that was
// killed left of a line goes. No path is no log.
func (l *eventLog) open(path string, from *checkpoint.Position) (err error) {
	if path == "" {
		return nil
	}
	if from == nil {
		l.file, err = os.Create(path)
	} else if l.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666); err == nil {
		err = l.cut(*from)
	}
	if err != nil {
		return fmt.Errorf("log %s: %w", path, atomicfile.Cause(errors.Join(err, l.close())))
	}
	return nil
}

func (l *eventLog) cut(from checkpoint.Position) error {
	end, err := logEnd(l.file, from)
	if err == nil {
		err = l.file.Truncate(end)
	}
	if err == nil {
		_, err = l.file.Seek(end, io.SeekStart)
	}
	return err
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
		var e FinetuneEvent
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

// write adds an event, unless it is no more than progress on the way to one. After an error, which is told once, nothing more is logged: a log
// that cannot be written does not stop a run.
func (l *eventLog) write(e FinetuneEvent) error {
	if l.file == nil || e.Layers > 0 {
		return nil
	}
	b, err := json.Marshal(e)
	if err == nil {
		_, err = l.file.Write(append(b, '\n'))
	}
	if err != nil {
		err = errors.Join(err, l.close())
	}
	return err
}

// close ends the log.
func (l *eventLog) close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
