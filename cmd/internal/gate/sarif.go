package gate

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"spikingir/cmd/internal/cli"
)

const (
	sarifVersion = "2.1.0"
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

// The objects of SARIF, with the properties that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Artifacts   []sarifArtifact   `json:"artifacts"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string       `json:"id"`
		Short sarifMessage `json:"shortDescription"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		ExitCode      int                 `json:"exitCode"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifArtifact struct {
		Location sarifFile `json:"location"`
	}
	sarifFile struct {
		URI string `json:"uri"`
	}
	sarifResult struct {
		Rule      string          `json:"ruleId"`
		Index     int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		File   sarifFile   `json:"artifactLocation"`
		Region sarifRegion `json:"region"`
	}
	// sarifRegion is a whole model: those who show results want a line.
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)

// SARIF is the verdict as one run, with a result for each gate that failed. An error, or a
// gate that could not be checked, is a notification.
func (v *Verdict) SARIF() ([]byte, error) {
	run := sarifRun{Artifacts: []sarifArtifact{}, Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: v.Program, Version: v.Version, Rules: []sarifRule{}}
	rules := v.rules()
	for _, r := range rules {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{r.ID, sarifMessage{r.Doc}})
	}
	var files []string
	for _, path := range append([]string{v.Model}, v.Others...) {
		if at := uri(path); path != "" && !slices.Contains(files, at) {
			files = append(files, at)
			run.Artifacts = append(run.Artifacts, sarifArtifact{sarifFile{at}})
		}
	}
	done := sarifInvocation{Successful: v.Error == "", ExitCode: v.Code}
	for _, g := range v.Gates {
		text := sarifMessage{cli.Line(g.Name + ": " + g.Text)}
		switch {
		case g.Failed:
			run.Results = append(run.Results, sarifResult{Rule: g.Rule, Level: "error", Message: text, Locations: v.location(g.Nodes),
				Index: slices.IndexFunc(rules, func(r Rule) bool { return r.ID == g.Rule })})
		case g.Skipped:
			done.Notifications = append(done.Notifications, sarifNotification{"note", text, v.location(nil)})
		}
	}
	if v.Error != "" {
		done.Notifications = append(done.Notifications, sarifNotification{"error", sarifMessage{cli.Line(v.Error)}, v.location(nil)})
	}
	run.Invocations = []sarifInvocation{done}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(sarifLog{sarifSchema, sarifVersion, []sarifRun{run}}); err != nil {
		return nil, err
	}
	return cli.JSON(b.Bytes()), nil
}

// location is the model, and nodes in it; nil where neither is known.
func (v *Verdict) location(nodes []string) []sarifLocation {
	var at sarifLocation
	if v.Model != "" {
		at.Physical = &sarifPhysical{sarifFile{uri(v.Model)}, sarifRegion{1}}
	}
	for _, n := range nodes {
		at.Logical = append(at.Logical, sarifLogical{n})
	}
	if at.Physical == nil && at.Logical == nil {
		return nil
	}
	return []sarifLocation{at}
}

// uri is a path as a URI, which stays relative where the path is.
func uri(path string) string {
	p := filepath.ToSlash(path)
	if !filepath.IsAbs(path) {
		return (&url.URL{Path: p}).String()
	}
	if !strings.HasPrefix(p, "/") { // a drive
		p = "/" + p
	}
	return (&url.URL{Scheme: "file", Path: p}).String()
}
