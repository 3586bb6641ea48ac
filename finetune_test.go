package spikingir

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"spikingir/runtime/train/checkpoint"
)

// TestLogEnd finds where a log goes on.
func TestLogEnd(t *testing.T) {
	var log bytes.Buffer
	ends := map[checkpoint.Position]int{}
	for _, e := range []FinetuneEvent{
		{Stage: 0, Step: 0}, {Stage: 0, Step: 1}, {Stage: 0, Step: 1, Validation: &checkpoint.Figures{PSNR: 3}},
		{Stage: 0, Step: 2}, {Stage: 1, Step: 1}, {Stage: 1, Step: 2},
	} {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		log.Write(append(b, '\n'))
		ends[checkpoint.Position{Stage: e.Stage, Step: uint64(e.Step)}] = log.Len()
	}
	ends[checkpoint.Position{Stage: 1}] = ends[checkpoint.Position{Stage: 0, Step: 2}]
	ends[checkpoint.Position{Stage: 7}] = log.Len()
	for p, want := range ends {
		for _, torn := range []string{"", `{"stage":0,"st`} {
			got, err := logEnd(strings.NewReader(log.String()+torn), p)
			if err != nil || got != int64(want) {
				t.Errorf("at %+v: %d, %v, want %d", p, got, err, want)
			}
		}
	}
	for _, text := range []string{"words\n", "{\"other\":1}\n", log.String() + "[]\n"} {
		if _, err := logEnd(strings.NewReader(text), checkpoint.Position{Stage: 9}); err == nil || !strings.Contains(err.Error(), "no event") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
