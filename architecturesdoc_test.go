package spikingir_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// row is a network's row of the table.
func (a architecture) row(cells ...string) string {
	return fmt.Sprintf("| %s | %s (%s) | %d | %s |\n", a.Name, a.Title, a.Source, a.Parameters, strings.Join(cells, " | "))
}

// architecturesDoc holds docs/architectures.md to the rows that were found, or writes it.
func architecturesDoc(t *testing.T, list []architecture, rows map[string]string) {
	const file = "docs/architectures.md"
	if os.Getenv("UPDATE") != "" && len(rows) == len(list) && !t.Failed() {
		var all strings.Builder
		for _, a := range list {
			all.WriteString(rows[a.Name])
		}
		if err := os.WriteFile(file, []byte(fmt.Sprintf(architecturesText, len(list), all.String())), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range rows {
		if !strings.Contains(string(page), row) {
			t.Errorf("%s does not tell what was found of %s; run UPDATE=1 go test -run TestArchitectures .\n%s", file, name, row)
		}
	}
}

const architecturesText = `# Architectures

%d small versions of published networks, with few channels and blocks and all that shapes their graph, are in
[fixtures/architectures](../fixtures/architectures); ` + "`fixtures/gen/architectures.py`" + ` defines them in PyTorch, trains each for some dozens of
steps only and exports it: they are there for their structure, not for quality. A test converts all of them and wrote this table.

- **converts**: as a whole, or with operators that ` + "`--analog keep`" + ` leaves as analog islands, or not at all.
- **analog**: the share of the multiply-accumulates that is computed, and charged, as in the ANN: the first layer, islands, and
  layers that read an island. These small networks have few blocks, so the first layer and the ends weigh more than in their originals.
- **currents**: the share of layers that read sums of other layers with no activation in between, which multiply in full at every step
  ([design.md](design.md#energy)) or, with ` + "`--currents spike`" + `, read spikes of both signs. The rest is driven by spikes.
- **agreement**: the PSNR between the spiking network and its ANN at T = 256, for the defaults of the recipes ` + "`spikingir`" + ` (lock-step) and
  ` + "`two-phase`" + `, on a part of a held-out image of 51x41 pixels, degraded for the network's task. It is held to be at least 40 dB.

| network | is | parameters | converts | analog | currents | lock-step (dB) | currents as spikes | two-phase (dB) | currents as spikes |
|---|---|---|---|---|---|---|---|---|---|
%s
## What the islands are

- Gates of channel and pixel attention (RCAN, IMDN, FFA-Net): Sigmoid, the product with it, and what computes the gate. The value in front of the
  product is read out, and the next activation opens the spiking region again.
- MaxPool, whose result is the largest of sums over time: the pass ` + "`maxpool-to-averagepool`" + ` replaces it where a network is trained again.
- InstanceNorm, which divides by a deviation over the image.
- Heads of Tanh and Sigmoid behind the last layer need no leave: they are the analog end of the network, as is the sum with the image.

A network without ReLU, LeakyReLU, PReLU or ReLU6 has nothing that neurons could stand for. The error names the activations that it has.
Inputs beside the image, such as FFDNet's noise level, stay analog: ` + "`--input sigma=0.098`" + `.
`
