package text

import (
	"strconv"
	"strings"

	"spikingir/graph"
)

// note is a comment that means something: key="value" pairs.
type note struct {
	at    token // the token behind it, for errors
	pairs []pair
}

// pair is one entry of a note. Only a plain key can be one of the reserved ones.
type pair struct {
	key, value string
	plain      bool
}

// note reads the comment before the current token, if it begins as a note does.
// From there on it must be one.
func (p *parser) note() *note {
	rest := strings.TrimSpace(p.tok.note)
	n := &note{at: p.tok}
	n.at.at = p.tok.noteAt
	for rest != "" {
		kv, after, ok := cutPair(rest)
		if !ok && n.pairs == nil {
			return nil
		}
		if !ok {
			p.failAt(n.at, "found %q in a note, want key=\"value\"", rest)
		}
		n.pairs = append(n.pairs, kv)
		rest = strings.TrimSpace(after)
	}
	if n.pairs == nil {
		return nil
	}
	p.tok.note = "" // it belongs to one thing only
	return n
}

func cutPair(s string) (kv pair, after string, ok bool) {
	if quote, err := strconv.QuotedPrefix(s); err == nil && s[0] == '"' {
		kv.key, _ = strconv.Unquote(quote)
		s = s[len(quote):]
	} else {
		kv.plain = true
		kv.key = s[:len(s)-len(strings.TrimLeftFunc(s, plain))]
		s = s[len(kv.key):]
	}
	s, ok = strings.CutPrefix(s, `="`)
	if !ok || kv.plain && kv.key == "" {
		return kv, "", false
	}
	quote, err := strconv.QuotedPrefix(`"` + s)
	if err != nil {
		return kv, "", false
	}
	kv.value, err = strconv.Unquote(quote)
	return kv, s[len(quote)-1:], err == nil
}

// plain reports whether a key may hold the character without quotes.
func plain(r rune) bool {
	return r < 0x80 && (isLetter(byte(r)) || isDigit(byte(r)) || r == '.' || r == '-' || r == '/')
}

// reserved are the plain keys that are no metadata.
func reserved(key string) bool {
	switch key {
	case "origin", "pass", "region", "doc":
		return true
	}
	return false
}

func (n *note) describe(p *parser, doc *string, meta *graph.Metadata) {
	if n == nil {
		return
	}
	for _, kv := range n.pairs {
		switch {
		case kv.plain && kv.key == "doc":
			*doc = kv.value
		case kv.plain && reserved(kv.key):
			p.failAt(n.at, "found %s in a note, which only nodes have", kv.key)
		default:
			*meta = append(*meta, graph.KV{Key: kv.key, Value: kv.value})
		}
	}
}

func (n *note) describeNode(p *parser, to *graph.Node) {
	if n == nil {
		return
	}
	other := &note{at: n.at}
	for _, kv := range n.pairs {
		switch {
		case kv.plain && kv.key == "origin":
			to.From.Node = kv.value
		case kv.plain && kv.key == "pass":
			to.From.Pass = kv.value
		case kv.plain && kv.key == "region":
			r, ok := graph.ParseRegion(kv.value)
			if !ok {
				p.failAt(n.at, "found region %q, want analog-pre, spiking or analog-post", kv.value)
			}
			to.Region = r
		default:
			other.pairs = append(other.pairs, kv)
		}
	}
	other.describe(p, &to.Doc, &to.Metadata)
}

func nodeNote(n *graph.Node) string {
	s := pairString("origin", n.From.Node) + pairString("pass", n.From.Pass) +
		pairString("region", n.Region.String())
	return hash(s + describeString(n.Doc, n.Metadata))
}

func valueNote(doc string, meta graph.Metadata) string { return hash(describeString(doc, meta)) }

func hash(pairs string) string {
	if pairs == "" {
		return ""
	}
	return " #" + pairs
}

func describeString(doc string, meta graph.Metadata) string {
	s := pairString("doc", doc)
	for _, kv := range meta {
		key := kv.Key
		if key == "" || strings.TrimLeftFunc(key, plain) != "" || reserved(key) {
			key = strconv.Quote(key)
		}
		s += " " + key + "=" + strconv.Quote(kv.Value)
	}
	return s
}

func pairString(key, value string) string {
	if value == "" {
		return ""
	}
	return " " + key + "=" + strconv.Quote(value)
}
