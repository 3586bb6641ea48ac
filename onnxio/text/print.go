package text

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spikingir/graph"
)

// Options choose how a model is printed. The zero value prints everything.
type Options struct {
	// MaxElements leaves out the elements of longer tensors, except for seeded
	// ones: ["location": "elided", "sha256": ...] stands in their place, so that
	// dumps differ when weights do. 0 prints all.
	MaxElements int64

	// OmitNotes leaves out the comments that carry provenance, documentation
	// and metadata.
	OmitNotes bool
}

// Format prints a whole model; [Parse] reads it back.
func Format(m *graph.Model) string { return Print(m, Options{}) }

// Print prints a model.
func Print(m *graph.Model, o Options) string {
	p := &printer{o: o}
	p.model(m)
	return p.b.String()
}

// width is the longest line of lists that could also stand on several lines.
const width = 100

type printer struct {
	o     Options
	b     strings.Builder
	start int // column of the first byte
}

func (p *printer) print(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

func (p *printer) column() int {
	s := p.b.String()
	if at := strings.LastIndexByte(s, '\n'); at >= 0 {
		return len(s) - 1 - at
	}
	return p.start + len(s)
}

// entry is one item of a list with the note behind it.
type entry struct{ text, note string }

// list prints entries: on one line if it fits and there are no notes, else each
// on its own.
func (p *printer) list(open, close, indent string, list []entry) {
	line := open + join(list, func(e entry) string { return e.text }) + close
	noted := slices.ContainsFunc(list, func(e entry) bool { return e.note != "" })
	if !noted && p.column()+len(line) <= width && !strings.Contains(line, "\n") {
		p.print(line)
		return
	}
	p.lines(open, close, indent, list)
}

func (p *printer) lines(open, close, indent string, list []entry) {
	p.print(open, "\n")
	for i, e := range list {
		comma := ","
		if i == len(list)-1 {
			comma = ""
		}
		p.print(indent, "  ", e.text, comma, e.note, "\n")
	}
	p.print(indent, close)
}

// fields prints the key: value pairs of a model or function that are not empty.
func (p *printer) fields(pairs ...string) {
	var list []entry
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, entry{text: pairs[i] + ": " + pairs[i+1]})
		}
	}
	if list != nil {
		p.list("<", ">", "", list)
		p.print("\n")
	}
}

func optional(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}

func number64(n int64) string {
	if n == 0 {
		return ""
	}
	return formatInt(n)
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

func opsetsString(list []graph.Opset) string {
	if len(list) == 0 {
		return ""
	}
	return "[" + join(list, func(o graph.Opset) string {
		return fmt.Sprintf("%s : %d", quote(o.Domain), o.Version)
	}) + "]"
}

func entriesString(list graph.Metadata) string {
	return "[" + join(list, pairOf) + "]"
}

func pairOf(kv graph.KV) string { return quote(kv.Key) + ": " + quote(kv.Value) }

// metadataString is empty for no metadata, and on several lines when it is long.
func metadataString(list graph.Metadata) string {
	if len(list) == 0 {
		return ""
	}
	s := entriesString(list)
	if len(s) <= width/2 {
		return s
	}
	p := &printer{}
	var entries []entry
	for _, kv := range list {
		entries = append(entries, entry{text: pairOf(kv)})
	}
	p.lines("[", "]", "  ", entries)
	return p.b.String()
}

func (p *printer) model(m *graph.Model) {
	p.fields(
		"ir_version", number64(m.IRVersion),
		"opset_import", opsetsString(m.Opsets),
		"producer_name", optional(m.ProducerName),
		"producer_version", optional(m.ProducerVersion),
		"domain", optional(m.Domain),
		"model_version", number64(m.ModelVersion),
		"doc_string", optional(m.Doc),
		"metadata_props", metadataString(m.Metadata),
	)
	if m.Graph != nil {
		p.print(name(m.Graph.Name), " ")
		p.body(m.Graph, "", valueNote(m.Graph.Doc, m.Graph.Metadata), false)
		p.print("\n")
	}
	for _, f := range m.Functions {
		p.function(f)
	}
}

func (p *printer) function(f *graph.Function) {
	p.print("\n")
	p.fields(
		"domain", optional(f.Domain),
		"overload", optional(f.Overload),
		"opset_import", opsetsString(f.Opsets),
		"doc_string", optional(f.Doc),
	)
	p.print(name(f.Name), " ")
	if len(f.Attrs)+len(f.Defaults) > 0 {
		var list []entry
		for _, a := range f.Attrs {
			list = append(list, entry{text: name(a)})
		}
		for _, a := range f.Defaults {
			list = append(list, entry{text: p.attr(a, true, "")})
		}
		p.list("<", ">", "", list)
		p.print(" ")
	}
	p.body(f.Body, "", valueNote("", f.Metadata), true)
	p.print("\n")
}
