package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/passes/recipes"
	"spikingir/passes/standard"
)

// passInfo is one pass in the JSON list.
type passInfo struct {
	Name    string       `json:"name"`
	Doc     string       `json:"doc"`
	Needs   string       `json:"needs"`
	Gives   string       `json:"gives"`
	Drops   string       `json:"drops"`
	Options []optionInfo `json:"options"`
}

type optionInfo struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Doc     string `json:"doc"`
}

type recipeInfo struct {
	Name          string `json:"name"`
	Doc           string `json:"doc"`
	Source        string `json:"source"`
	Reconstructed bool   `json:"reconstructed"` // the equations are not public
	Pipeline      string `json:"pipeline"`
}

func (a *app) passesCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "passes",
		Short: "List the passes with their options, and the recipes",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			list := passInfos()
			rs, err := recipeInfos()
			if err != nil {
				return err
			}
			if a.format == "json" {
				return a.json(map[string]any{"passes": list, "recipes": rs})
			}
			a.printPasses(list, rs)
			return nil
		},
	}
}

func passInfos() []passInfo {
	var list []passInfo
	for _, p := range standard.Passes() {
		info := passInfo{Name: p.Name, Doc: p.Doc, Needs: p.Needs.String(), Gives: p.Gives.String(),
			Drops: p.Drops.String(), Options: []optionInfo{}}
		for _, o := range p.Options {
			info.Options = append(info.Options, optionInfo{o.Name(), o.Default(), o.Doc()})
		}
		list = append(list, info)
	}
	return list
}

func recipeInfos() ([]recipeInfo, error) {
	var list []recipeInfo
	for _, name := range spikingir.Recipes() {
		r, _ := recipes.Lookup(name)
		p, err := r.Pipeline(spikingir.DefaultSettings())
		if err != nil {
			return nil, err
		}
		list = append(list, recipeInfo{name, r.Title(), r.Source, r.Reconstructed, p.String()})
	}
	return list, nil
}

// column is a column whose lines break between words.
func column(number, width int) table.ColumnConfig {
	return table.ColumnConfig{Number: number, WidthMax: width, WidthMaxEnforcer: text.WrapSoft}
}

func (a *app) printPasses(list []passInfo, rs []recipeInfo) {
	t := a.table()
	t.AppendHeader(table.Row{"pass", "what", "needs", "gives", "options"})
	for _, p := range list {
		title, _, _ := strings.Cut(p.Doc, "\n")
		var opts []string
		for _, o := range p.Options {
			opts = append(opts, o.Name+"="+o.Default)
		}
		t.AppendRow(table.Row{p.Name, title, p.Needs, p.Gives, strings.Join(opts, " ")})
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		column(2, 44), column(3, 24), column(4, 24), column(5, 34)})
	t.Render()
	for _, r := range rs {
		fmt.Fprintf(a.out, "\nrecipe %s: %s\n  %s\n  %s\n", r.Name, r.Doc, r.Source, r.Pipeline)
	}
}
