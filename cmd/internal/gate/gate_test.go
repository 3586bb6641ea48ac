package gate

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostile is what names of a model may hold that neither XML nor a terminal takes.
const hostile = "a<b>&\"'\x1b[2J\n\x00\xff\u202e]]>"

// verdicts are one of each kind.
func verdicts() map[string]*Verdict {
	passed := &Verdict{Program: "spikingir", Version: "0.1.0", Command: "eval", Model: "snn.onnx", Others: []string{"ann.onnx"}}
	passed.Check("agreement", "30 dB at least", true, "agreement with the reference 31.000 dB, want 30 dB at least", "dropped")
	mixed := &Verdict{Program: "spikingir", Version: "0.1.0", Command: "inspect", Model: "dir/a b#1.onnx", Code: 4}
	mixed.Check("op-count", "Conv<=20", true, "found 3 nodes of operator Conv, want <=20")
	mixed.Check("op-only", "Conv", false, "found operators Relu (1, the first \"r\"), want only Conv", "r", "s")
	mixed.Check("op-count", "Relu=0", false, "found 1 nodes of operator Relu, want =0", "r")
	mixed.Skip("verify-each", "1 infer-shapes", "it cannot be run")
	broken := &Verdict{Program: "spikingir", Version: "0.1.0", Command: "inspect", Model: "bad.onnx", Error: "bad.onnx: no model", Code: 2}
	strange := &Verdict{Program: "spikingir", Version: "0.1.0", Command: "diff", Model: hostile, Others: []string{hostile}, Code: 4}
	strange.Check("same-node", hostile, false, "added "+hostile, hostile)
	return map[string]*Verdict{"passed": passed, "mixed": mixed, "broken": broken, "strange": strange, "empty": {Command: "eval"}}
}

// TestGolden holds both documents; UPDATE=1 rewrites them.
func TestGolden(t *testing.T) {
	for name, v := range verdicts() {
		for ext, write := range map[string]func() ([]byte, error){"xml": v.JUnit, "sarif": v.SARIF} {
			got, err := write()
			if err != nil {
				t.Fatal(name, err)
			}
			path := filepath.Join("testdata", name+"."+ext)
			if os.Getenv("UPDATE") == "1" {
				if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, got, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("%s (-golden +got):\n%s", path, d)
			}
		}
	}
}

// TestJUnit holds that the document is well formed, that its numbers are those of its
// cases, and that every gate is one.
func TestJUnit(t *testing.T) {
	for name, v := range verdicts() {
		b, err := v.JUnit()
		if err != nil {
			t.Fatal(name, err)
		}
		dec := xml.NewDecoder(bytes.NewReader(b))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s is no XML: %v\n%s", name, err, b)
			}
		}
		var s junitSuites
		if err := xml.Unmarshal(b, &s); err != nil {
			t.Fatal(name, err)
		}
		var is junitCounts
		for _, c := range s.Suite.Cases {
			is.Tests++
			if c.Failure != nil {
				is.Failures++
			}
			if c.Error != nil {
				is.Errors++
			}
			if c.Skipped != nil {
				is.Skipped++
			}
			if c.Name == "" || c.Class == "" {
				t.Errorf("%s: a case without a name or a class: %+v", name, c)
			}
		}
		want := len(v.Gates)
		if v.Error != "" {
			want++
		}
		if s.junitCounts != is || s.Suite.junitCounts != is || is.Tests != want || is.Failures != len(v.Failed()) {
			t.Errorf("%s: counts %+v and %+v of cases that are %+v, of %d gates", name, s.junitCounts, s.Suite.junitCounts, is, len(v.Gates))
		}
		if bytes.ContainsAny(b, "\x1b\x00") {
			t.Errorf("%s: control characters in %q", name, b)
		}
	}
}

// schema is the properties that SARIF 2.1.0 knows of the objects that are written, those that it
// requires first, up to the bar. No others are allowed.
var schema = map[string]string{
	"log":                "version runs | $schema inlineExternalProperties properties",
	"run":                "tool | invocations conversion language artifacts logicalLocations results graphs taxonomies columnKind properties",
	"tool":               "driver | extensions properties",
	"driver":             "name | guid organization fullName version semanticVersion informationUri rules notifications taxa properties",
	"rule":               "id | name shortDescription fullDescription defaultConfiguration helpUri help properties",
	"message":            "text | markdown id arguments properties",
	"invocation":         "executionSuccessful | commandLine arguments exitCode exitCodeDescription toolExecutionNotifications toolConfigurationNotifications properties",
	"notification":       "message | locations level descriptor associatedRule exception properties",
	"artifact":           "| description location parentIndex length roles mimeType hashes properties",
	"artifactLocation":   "| uri uriBaseId index description properties",
	"result":             "message | ruleId ruleIndex rule kind level locations fingerprints partialFingerprints properties",
	"location":           "| id physicalLocation logicalLocations message properties",
	"physicalLocation":   "| address artifactLocation region contextRegion properties",
	"region":             "| startLine startColumn endLine endColumn byteOffset byteLength properties",
	"logicalLocation":    "| name index fullyQualifiedName decoratedName parentIndex kind properties",
	"multiformatMessage": "text | markdown properties",
}

// fields is the object behind a property; those of other properties are plain values.
var fields = map[string]string{"runs": "run", "tool": "tool", "driver": "driver", "rules": "rule", "shortDescription": "multiformatMessage",
	"message": "message", "invocations": "invocation", "toolExecutionNotifications": "notification", "artifacts": "artifact", "location": "artifactLocation",
	"artifactLocation": "artifactLocation", "results": "result", "locations": "location", "physicalLocation": "physicalLocation", "region": "region",
	"logicalLocations": "logicalLocation"}

func checkObject(at, kind string, x any) error {
	o, ok := x.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is %T, want an object", at, x)
	}
	required, others, _ := strings.Cut(schema[kind], "|")
	for _, name := range strings.Fields(required) {
		if _, ok := o[name]; !ok {
			return fmt.Errorf("%s lacks %s", at, name)
		}
	}
	known := append(strings.Fields(required), strings.Fields(others)...)
	for name, y := range o {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%s has %s, which the schema does not know of a %s", at, name, kind)
		}
		list, many := y.([]any)
		if !many {
			list = []any{y}
		}
		for i, z := range list {
			if fields[name] == "" {
				continue
			}
			if err := checkObject(fmt.Sprintf("%s.%s[%d]", at, name, i), fields[name], z); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestSARIF holds that the document has what the schema requires and nothing that it does not
// know, a result for each gate that failed, and rules that results point at.
func TestSARIF(t *testing.T) {
	for name, v := range verdicts() {
		b, err := v.SARIF()
		if err != nil {
			t.Fatal(name, err)
		}
		var any any
		var log sarifLog
		if err := errors.Join(json.Unmarshal(b, &any), json.Unmarshal(b, &log)); err != nil {
			t.Fatal(name, err)
		}
		if err := checkObject("log", "log", any); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Invocations) != 1 {
			t.Fatalf("%s: %s", name, b)
		}
		run := log.Runs[0]
		if len(run.Results) != len(v.Failed()) {
			t.Errorf("%s: %d results of %d gates that failed", name, len(run.Results), len(v.Failed()))
		}
		for i, r := range run.Results {
			g := v.Failed()[i]
			if r.Index < 0 || r.Index >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[r.Index].ID != r.Rule || r.Rule != g.Rule {
				t.Errorf("%s: result %d is of rule %d, %s", name, i, r.Index, r.Rule)
			}
			if len(r.Locations) != 1 || r.Locations[0].Physical == nil || len(r.Locations[0].Logical) != len(g.Nodes) {
				t.Errorf("%s: result %d is at %+v, want the model and %q", name, i, r.Locations, g.Nodes)
			}
		}
		done := run.Invocations[0]
		if done.Successful != (v.Error == "") || done.ExitCode != v.Code {
			t.Errorf("%s: invocation %+v of a command that ended with %d %q", name, done, v.Code, v.Error)
		}
		if bytes.ContainsAny(b, "\x1b\x00") {
			t.Errorf("%s: control characters in %q", name, b)
		}
	}
}

// TestUnknownRule holds that a gate of no rule is a fault of the program.
func TestUnknownRule(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a gate of no rule is taken")
		}
	}()
	new(Verdict).Check("nothing", "", true, "")
}
