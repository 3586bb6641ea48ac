package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"os"
	"strings"

	"spikingir/internal/atomicfile"
	"spikingir/internal/regular"
)

// MaxPixels is the largest width times height that [Decode] accepts. A header
// that promises more is refused before any pixel is decoded.
const MaxPixels = 1 << 28

// headerLen covers the signature of every format and the colour type of a PNG.
const headerLen = 32

// A format is one file type that Decode understands.
type format struct {
	name   string
	magic  string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"JPEG", "\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"BMP", "BM", decodeBMPConfig, decodeBMP},
}

// Read decodes the image file at path; see [Decode]. Errors name the file.
func Read(path string) (Image, error) {
	f, err := openFile(path)
	if err != nil {
		return Image{}, err
	}
	defer f.Close()
	m, err := Decode(f)
	if err != nil {
		return Image{}, fmt.Errorf("read image %s: %w", path, err)
	}
	return m, nil
}

func openFile(path string) (*os.File, error) {
	f, _, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read image %s: %w", path, atomicfile.Cause(err))
	}
	return f, nil
}

// Decode reads one PNG (8 or 16 bit, gray, RGB or palette), JPEG (gray, YCbCr
// or CMYK) or uncompressed BMP. Gray files give 1 channel, all others 3. Values
// are v/255, or v/65535 for 16 bit. Alpha is dropped: the stored colour is
// taken as it is, also where it is transparent.
func Decode(r io.Reader) (Image, error) {
	br := bufio.NewReader(r)
	f, head, err := sniff(br)
	if err != nil {
		return Image{}, err
	}
	gray := f.name == "PNG" && len(head) > 25 && (head[25] == 0 || head[25] == 4)

	// The configuration is read first, and what it consumed is put back.
	var seen bytes.Buffer
	if _, err := f.size(io.TeeReader(br, &seen)); err != nil {
		return Image{}, err
	}
	src, err := f.decode(io.MultiReader(&seen, br))
	if err != nil {
		return Image{}, fmt.Errorf("damaged %s image: %w", f.name, err)
	}
	return fromGo(src, gray), nil
}

// ReadSize returns the height and width of the image file at path from its
// header alone, as [Read] would find them. Errors name the file.
func ReadSize(path string) (h, w int, err error) {
	file, err := openFile(path)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	br := bufio.NewReader(file)
	f, _, err := sniff(br)
	if err != nil {
		return 0, 0, fmt.Errorf("read image %s: %w", path, err)
	}
	cfg, err := f.size(br)
	if err != nil {
		return 0, 0, fmt.Errorf("read image %s: %w", path, err)
	}
	return cfg.Height, cfg.Width, nil
}

// size reads the header and refuses one that promises too many pixels.
func (f format) size(r io.Reader) (image.Config, error) {
	cfg, err := f.config(r)
	if err != nil {
		return cfg, fmt.Errorf("damaged %s image: %w", f.name, err)
	}
	if cfg.Width < 1 || cfg.Height < 1 || cfg.Width > MaxPixels/cfg.Height {
		return cfg, fmt.Errorf("%s header says %dx%d pixels, want 1 to %d in all",
			f.name, cfg.Width, cfg.Height, MaxPixels)
	}
	return cfg, nil
}

// sniff finds the format by its signature, or says what the bytes look like. It
// returns the first bytes too, and reads none.
func sniff(br *bufio.Reader) (format, []byte, error) {
	head, err := br.Peek(headerLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return format{}, nil, err
	}
	for _, f := range formats {
		if strings.HasPrefix(string(head), f.magic) {
			return f, head, nil
		}
	}
	if len(head) == 0 {
		return format{}, nil, errors.New("not a PNG, JPEG or BMP image: the file is empty")
	}
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	return format{}, nil, fmt.Errorf("not a PNG, JPEG or BMP image: it looks like %s", kind)
}

// fromGo converts a decoded image. gray forces one channel where Go's decoder
// widened a gray image with transparency.
func fromGo(src image.Image, gray bool) Image {
	b := src.Bounds()
	switch s := src.(type) {
	case *image.YCbCr:
		return fromYCbCr(s)
	case *image.Gray, *image.Gray16:
		gray = true
	}
	c := 3
	if gray {
		c = 1
	}
	m := NewImage(c, b.Dy(), b.Dx())
	n := m.H * m.W
	i := 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			v := straight(src, x, y)
			for k := range c {
				m.Pix[k*n+i] = v[k]
			}
			i++
		}
	}
	return m
}

// straight returns the colour of a pixel without premultiplication by alpha.
func straight(src image.Image, x, y int) [3]float32 {
	switch s := src.(type) {
	case *image.Gray:
		v := unit8(s.GrayAt(x, y).Y)
		return [3]float32{v, v, v}
	case *image.RGBA:
		p := s.Pix[s.PixOffset(x, y):]
		return [3]float32{unit8(p[0]), unit8(p[1]), unit8(p[2])}
	case *image.NRGBA:
		p := s.Pix[s.PixOffset(x, y):]
		return [3]float32{unit8(p[0]), unit8(p[1]), unit8(p[2])}
	case *image.NRGBA64:
		p := s.NRGBA64At(x, y)
		return [3]float32{unit16(uint32(p.R)), unit16(uint32(p.G)), unit16(uint32(p.B))}
	}
	if p, ok := src.At(x, y).(color.NRGBA); ok {
		return [3]float32{unit8(p.R), unit8(p.G), unit8(p.B)}
	}
	// The rest is opaque: 16-bit gray and RGB, palettes without alpha, CMYK.
	r, g, b, _ := src.At(x, y).RGBA()
	return [3]float32{unit16(r), unit16(g), unit16(b)}
}

// unit8 and unit16 scale samples to [0,1] with one rounding. For a sample of
// 8 bit widened to 16 (v*257) both agree.
func unit8(v uint8) float32   { return float32(float64(v) / 255) }
func unit16(v uint32) float32 { return float32(float64(v) / 65535) }
