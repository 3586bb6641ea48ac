package checkpoint

import "errors"

// ErrLocked says that another process has locked a checkpoint.
var ErrLocked = errors.New("another run is writing it")
