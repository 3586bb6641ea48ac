package watch

import (
	"context"
	"testing"
)

// TestWatch holds what a watch says, and that nothing needs one.
func TestWatch(t *testing.T) {
	w := &Watch{}
	ctx := With(context.Background(), w)
	if Of(ctx) != w || Of(context.Background()) != nil {
		t.Error("the watch of a context is another one")
	}
	for _, c := range []struct {
		tell func(w *Watch)
		want string
	}{
		{func(*Watch) {}, ""},
		{func(w *Watch) { w.Unit(0, 3, "conv") }, `node "conv" (1 of 3)`},
		{func(w *Watch) { w.Task("image %d of %d", 2, 7) }, "image 2 of 7"},
		{func(w *Watch) { w.Unit(1, 3, "loop") }, `image 2 of 7, node "loop" (2 of 3)`},
		{func(w *Watch) { w.Step(5, 9) }, `image 2 of 7, node "loop" (2 of 3), step 5 of 9`},
		{func(w *Watch) { w.Step(6, 0) }, `image 2 of 7, node "loop" (2 of 3), step 6`},
		{func(w *Watch) { w.Unit(2, 3, "relu") }, `image 2 of 7, node "relu" (3 of 3)`},
	} {
		c.tell(w)
		c.tell(nil)
		if got := w.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := Of(context.Background()).String(); got != "" {
		t.Errorf("nothing says %q", got)
	}
}
