package pictures

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"spikingir/runtime/dataset"
)

// The distances of a montage in pixels.
const (
	gap  = 6
	text = 18
)

// Montage is a PNG of sets below each other, a row for each with the views side by side under
// their labels.
type Montage struct{ rows []row }

type row struct {
	labels []string
	tiles  []image.Image
	height int
}

// Add adds a set.
func (m *Montage) Add(s Set) error {
	r := row{}
	for _, p := range s.Pictures {
		tile, err := toGo(p.Image)
		if err != nil {
			return err
		}
		label := p.Label
		if p.Key == "input" {
			label = s.Name
		}
		r.labels, r.tiles, r.height = append(r.labels, label), append(r.tiles, tile), max(r.height, tile.Bounds().Dy())
	}
	m.rows = append(m.rows, r)
	return nil
}

// Len is the number of rows.
func (m *Montage) Len() int { return len(m.rows) }

// PNG draws the montage.
func (m *Montage) PNG() ([]byte, error) {
	width, height := gap, gap
	for _, r := range m.rows {
		w := gap
		for _, t := range r.tiles {
			w += t.Bounds().Dx() + gap
		}
		width, height = max(width, w), height+text+r.height+gap
	}
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(out, out.Bounds(), image.White, image.Point{}, draw.Src)
	y := gap
	for _, r := range m.rows {
		x := gap
		for i, t := range r.tiles {
			b := t.Bounds()
			write(out, r.labels[i], image.Rect(x, y, x+b.Dx(), y+text))
			draw.Draw(out, image.Rect(x, y+text, x+b.Dx(), y+text+b.Dy()), t, b.Min, draw.Src)
			x += b.Dx() + gap
		}
		y += text + r.height + gap
	}
	var b bytes.Buffer
	err := png.Encode(&b, out)
	return b.Bytes(), err
}

// write puts text into a box, and cuts what does not fit.
func write(dst *image.RGBA, s string, box image.Rectangle) {
	part, ok := dst.SubImage(box).(*image.RGBA)
	if !ok {
		return
	}
	d := font.Drawer{Dst: part, Src: image.NewUniform(color.Black), Face: basicfont.Face7x13,
		Dot: fixed.P(box.Min.X, box.Max.Y-5)}
	d.DrawString(s)
}

// PNG is an image as a file.
func PNG(m dataset.Image) ([]byte, error) {
	var b bytes.Buffer
	err := dataset.Encode(&b, m)
	return b.Bytes(), err
}

// toGo is an image as files of 8 bits hold it.
func toGo(m dataset.Image) (image.Image, error) {
	b, err := PNG(m)
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(b))
}
