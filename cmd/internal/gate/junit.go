package gate

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"spikingir/cmd/internal/cli"
)

// The elements of JUnit's XML that its readers agree on.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suite junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Properties *junitProperties `xml:"properties"` // nil where there are none
		Cases      []junitCase      `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		Failure *junitReason `xml:"failure"`
		Error   *junitReason `xml:"error"`
		Skipped *junitReason `xml:"skipped"`
		Out     string       `xml:"system-out,omitempty"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit is the verdict as one test suite, with a test case for each gate. An error is a
// test case of its own.
func (v *Verdict) JUnit() ([]byte, error) {
	suite := junitSuite{Name: cli.Line(v.Program + " " + v.Command), Properties: v.properties()}
	suite.Tests, suite.Failures, suite.Skipped = len(v.Gates), len(v.Failed()), v.skipped()
	class := cli.Line(v.Program + "." + v.Command)
	for _, g := range v.Gates {
		text, c := cli.Line(g.Text), junitCase{Name: cli.Line(g.Rule + ": " + g.Name), Class: class}
		switch {
		case g.Failed:
			c.Failure = &junitReason{Message: text, Type: g.Rule, Text: text}
		case g.Skipped:
			c.Skipped = &junitReason{Message: text}
		default:
			c.Out = text
		}
		suite.Cases = append(suite.Cases, c)
	}
	if v.Error != "" {
		text := cli.Line(v.Error)
		suite.Tests, suite.Errors = suite.Tests+1, 1
		suite.Cases = append(suite.Cases, junitCase{Name: "runs to its end", Class: class,
			Error: &junitReason{Message: text, Type: fmt.Sprintf("exit code %d", v.Code), Text: text}})
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Name: cli.Line(v.Program), junitCounts: suite.junitCounts, Suite: suite}); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func (v *Verdict) properties() *junitProperties {
	var list []junitProperty
	add := func(name, value string) {
		if value != "" {
			list = append(list, junitProperty{name, cli.Line(value)})
		}
	}
	add("version", v.Version)
	add("model", v.Model)
	for _, path := range v.Others {
		add("other", path)
	}
	if list == nil {
		return nil
	}
	return &junitProperties{list}
}
