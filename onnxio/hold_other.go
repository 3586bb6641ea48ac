//go:build !unix

package onnxio

import "os"

// locks tells that files have locks that end with their process.
const locks = false

// hold does nothing here.
func hold(name string) (release func(), there bool) {
	_, err := os.Lstat(name)
	return func() {}, err == nil
}

// removeUnheld removes a data file, unless it is to be certain that no process holds it: that
// cannot be told.
func removeUnheld(name string, certain bool) {
	if !certain {
		os.Remove(name) // what stays does no harm
	}
}
