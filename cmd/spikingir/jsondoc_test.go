package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/graph/diff"
	"spikingir/runtime/bench"
	"spikingir/runtime/dataset"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/metric"
)

// jsonObjects are the objects of docs/json.md that commands print, by the page's name. What
// they have in them is found by their types.
var jsonObjects = map[string]any{
	"error": cli.Failure{}, "inspection": inspection{}, "pass": passInfo{}, "recipe": recipeInfo{}, "conversion": summary{},
	"restored image": restored{}, "tensor written": computed{}, "evaluation": spikingir.Report{}, "training": tuned{},
	"count of differences": diffStat{}, "verification": verified{}, "bisection": bisected{}, "explained node": explanation{}, "export": exported{},
	"line of bench": bench.Line{}, "line of training": bench.TrainLine{}, "kernel": machine.Implementation{},
}

// jsonField is a field of an object of the page, and how its type is told.
type jsonField struct{ name, kind string }

// jsonPage is the tables of docs/json.md.
func jsonPage(t *testing.T) map[string][]jsonField {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "json.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := map[string][]jsonField{}
	section := ""
	row := regexp.MustCompile("^\\| `([A-Za-z0-9_]+)` \\| ([^|]+) \\|")
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "### "); ok {
			section = strings.TrimSpace(name)
			page[section] = nil
		} else if m := row.FindStringSubmatch(line); m != nil && section != "" {
			page[section] = append(page[section], jsonField{m[1], m[2]})
		}
	}
	return page
}

// TestJSONPage compares docs/json.md with the types that commands print: names, kinds, and
// which fields may be left out or be null.
func TestJSONPage(t *testing.T) {
	page := jsonPage(t)
	names := map[reflect.Type]string{} // of objects that the page was seen to name
	var check func(name string, typ reflect.Type)
	check = func(name string, typ reflect.Type) {
		if known, seen := names[typ]; seen {
			if known != name {
				t.Errorf("%v is called %q and %q", typ, known, name)
			}
			return
		}
		names[typ] = name
		want, told := page[name], map[string]string{}
		for _, f := range want {
			told[f.name] = f.kind
		}
		fields := jsonFields(typ)
		for _, f := range fields {
			kind, ok := told[f.name]
			if !ok {
				t.Errorf("docs/json.md: %q lacks `%s`", name, f.name)
				continue
			}
			checkKind(t, name, f, kind, check)
		}
		for _, f := range want {
			if !slices.ContainsFunc(fields, func(g typedField) bool { return g.name == f.name }) {
				t.Errorf("docs/json.md: %q has `%s`, which is never printed", name, f.name)
			}
		}
	}
	for name, x := range jsonObjects {
		check(name, reflect.TypeOf(x))
	}
	check("difference", reflect.TypeOf(diff.Report{}))
	for name := range page {
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			t.Errorf("docs/json.md: nothing has %q in it", name)
		}
	}
}

// typedField is a field that a type has as JSON.
type typedField struct {
	name     string
	typ      reflect.Type
	optional bool // left out where it is empty
	null     bool // null where there is none
}

// jsonFields are the fields of a struct, with those of what is embedded.
func jsonFields(typ reflect.Type) []typedField {
	var list []typedField
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, how, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			of, inside := f.Type, f.Type.Kind() == reflect.Pointer
			if inside {
				of = of.Elem()
			}
			for _, g := range jsonFields(of) {
				// of what is embedded by a pointer, nothing is printed where that is nil
				g.optional = g.optional || inside && typ == reflect.TypeOf(verified{})
				list = append(list, g)
			}
		case name != "-" && f.IsExported():
			optional := how == "omitempty"
			list = append(list, typedField{name, f.Type, optional, !optional && f.Type.Kind() == reflect.Pointer})
		}
	}
	return list
}

// link is a reference of the page to an object.
var link = regexp.MustCompile(`\[([^\]]+)\]\(#([a-z-]+)\)`)

// checkKind holds what the page says of the kind of a field against its type.
func checkKind(t *testing.T, object string, f typedField, told string, check func(string, reflect.Type)) {
	t.Helper()
	typ, list := f.typ, ""
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		if typ.Kind() == reflect.Slice {
			list = "list of "
		}
		typ = typ.Elem()
	}
	want := ""
	switch m := link.FindStringSubmatch(told); {
	case typ == reflect.TypeOf(metric.DB(0)):
		want = "decibels"
	case typ.Kind() == reflect.Struct && m != nil:
		if anchor := strings.ReplaceAll(strings.ToLower(m[1]), " ", "-"); anchor != m[2] {
			t.Errorf("docs/json.md: %q, `%s`: the link to %q goes to %q", object, f.name, m[1], m[2])
		}
		want = m[0]
		check(m[1], typ)
	case typ.Kind() == reflect.Struct:
		want = "a link to what it has"
	case typ.Kind() == reflect.Map:
		want = map[reflect.Kind]string{reflect.String: "texts by name", reflect.Int64: "numbers by name"}[typ.Elem().Kind()]
	case typ.Kind() == reflect.String:
		want = "text"
	case typ.Kind() == reflect.Bool:
		want = "true or false"
	default:
		want = "number"
	}
	want = list + want
	if f.optional {
		want += ", optional"
	}
	if f.null {
		want += ", or null"
	}
	if told != want {
		t.Errorf("docs/json.md: %q says of `%s` %q, want %q", object, f.name, told, want)
	}
}

// TestJSONPrinted holds that what commands print is what the page has.
func TestJSONPrinted(t *testing.T) {
	page := jsonPage(t)
	t.Chdir(t.TempDir())
	model, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	images, err := fixtures.Images("clean")
	if err != nil {
		t.Fatal(err)
	}
	img, err := dataset.Decode(bytes.NewReader(images[0].Data))
	if err == nil {
		img, err = img.Crop(0, 0, 24, 24)
	}
	if err == nil {
		err = os.Mkdir("data", 0o777)
	}
	if err == nil {
		err = dataset.Write("data/a.png", img)
	}
	if err == nil {
		err = os.WriteFile("ann.onnx", model, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		object string
		code   int
		args   string
	}{
		{"inspection", 0, "inspect ann.onnx"},
		{"conversion", 0, "convert ann.onnx -o snn.onnx -T 2 --calib data --task denoise --sigma 25"},
		{"conversion", 0, "convert ann.onnx --dry-run -T 2 --calib data --schedule two-phase"},
		{"conversion", 0, "lower snn.onnx --to flat -o flat.onnx"},
		{"inspection", 0, "inspect snn.onnx"},
		{"inspection", 0, "inspect flat.onnx"},
		{"restored image", 0, "run snn.onnx -i data -o out"},
		{"evaluation", 0, "eval snn.onnx --ref ann.onnx --data data"},
		{"evaluation", 0, "eval ann.onnx --task denoise --sigma 25 --data data"},
		{"difference", 4, "diff ann.onnx snn.onnx"},
		{"count of differences", 4, "diff ann.onnx snn.onnx --stat"},
		{"verification", 0, "verify snn.onnx flat.onnx -i data"},
		{"bisection", 0, "bisect ann.onnx --passes infer-shapes"},
		{"explained node", 0, "explain snn.onnx --data data"},
		{"explained node", 0, "explain ann.onnx"},
		{"export", 0, "export snn.onnx --to nir -o net.nir --size 8x8"},
		{"kernel", 0, "bench --kernels"},
		{"error", 1, "eval ann.onnx --task denoise"},
		{"error", 4, "inspect ann.onnx --assert-op-only Relu"},
	} {
		var out, errs bytes.Buffer
		if code := run(append(strings.Fields(c.args), "--format", "json", "--quiet"), nil, &out, &errs); code != c.code {
			t.Fatalf("%s: exit code %d, want %d: %s", c.args, code, c.code, errs.String())
		}
		text := out.Bytes()
		if c.object == "error" {
			text = errs.Bytes()
		}
		var x any
		if err := json.Unmarshal(text, &x); err != nil {
			t.Fatalf("%s: %v: %s", c.args, err, text)
		}
		if c.object == "error" {
			x = x.(map[string]any)["error"]
		}
		for _, finding := range unlike(page, c.object, x) {
			t.Errorf("%s: %s", c.args, finding)
		}
	}
}

// unlike lists how JSON that was printed differs from an object of the page, or a list of them.
func unlike(page map[string][]jsonField, object string, x any) (list []string) {
	if all, ok := x.([]any); ok {
		for _, y := range all {
			list = append(list, unlike(page, object, y)...)
		}
		return list
	}
	fields, ok := x.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%v is no %s", x, object)}
	}
	told := map[string]string{}
	for _, f := range page[object] {
		told[f.name] = f.kind
		if _, there := fields[f.name]; !there && !strings.Contains(f.kind, "optional") {
			list = append(list, fmt.Sprintf("%s without `%s`", object, f.name))
		}
	}
	for name, y := range fields {
		kind, known := told[name]
		m := link.FindStringSubmatch(kind)
		switch _, isList := y.([]any); {
		case !known:
			list = append(list, fmt.Sprintf("%s with `%s`, which the page lacks", object, name))
		case y == nil:
			if !strings.HasSuffix(kind, ", or null") {
				list = append(list, fmt.Sprintf("%s: `%s` is null, want %s", object, name, kind))
			}
		case isList != strings.HasPrefix(kind, "list of "):
			list = append(list, fmt.Sprintf("%s: `%s` is %v, want %s", object, name, y, kind))
		case m != nil:
			list = append(list, unlike(page, m[1], y)...)
		}
	}
	return list
}
