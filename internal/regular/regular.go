// Package regular opens regular files for reading, and nothing else: a pipe may have no
// writer and a device no end.
package regular

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Open opens the regular file at path, through links.
func Open(path string) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if err := Check(info); err != nil { // before it is opened, which some devices notice
		return nil, nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	// It may be another file by now: then this does not wait for a pipe's writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = Check(info)
	}
	if err != nil {
		f.Close()
		return nil, nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return f, info, nil
}

// Check says what a file is that is no regular one.
func Check(info fs.FileInfo) error {
	switch m := info.Mode(); {
	case m.IsRegular():
		return nil
	case m.IsDir():
		return errors.New("is a folder, want a file")
	case m&fs.ModeNamedPipe != 0:
		return errors.New("is a pipe, want a regular file")
	case m&fs.ModeSocket != 0:
		return errors.New("is a socket, want a regular file")
	case m&fs.ModeDevice != 0:
		return errors.New("is a device, want a regular file")
	}
	return errors.New("is no regular file")
}
