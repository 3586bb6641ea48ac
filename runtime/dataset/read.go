package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

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
	is     func(head []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	traits func(io.ReaderAt) traits
}

var formats = []format{
	{"PNG", begins("\x89PNG\r\n\x1a\n"), png.DecodeConfig, png.Decode, pngTraits},
	{"JPEG", begins("\xff\xd8\xff"), jpeg.DecodeConfig, jpeg.Decode, jpegTraits},
	{"TIFF", begins("II*\x00", "MM\x00*"), tiff.DecodeConfig, tiff.Decode, tiffTraits},
	{"WebP", isWebP, webp.DecodeConfig, webp.Decode, webpTraits},
	{"BMP", begins("BM"), bmp.DecodeConfig, bmp.Decode, func(io.ReaderAt) traits { return traits{} }},
}

// kinds names the formats in errors.
const kinds = "PNG, JPEG, TIFF, WebP or BMP"

func begins(magics ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, m := range magics {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
}

func isWebP(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

// Read decodes the image file at path; see [Decode]. Errors name the file.
func Read(path string) (Image, error) {
	p, err := ReadPicture(path)
	return p.Image, err
}

// ReadPicture decodes the image file at path; see [DecodePicture]. Errors name the file.
func ReadPicture(path string) (Picture, error) {
	f, size, err := openFile(path)
	if err != nil {
		return Picture{}, err
	}
	defer f.Close()
	p, err := decode(f, size)
	if err != nil {
		return Picture{}, fmt.Errorf("read image %s: %w", path, err)
	}
	return p, nil
}

func openFile(path string) (f *os.File, size int64, err error) {
	f, info, err := regular.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("read image %s: %w", path, atomicfile.Cause(err))
	}
	return f, info.Size(), nil
}

// Decode is [DecodePicture] without what there is beside colour.
func Decode(r io.Reader) (Image, error) {
	p, err := DecodePicture(r)
	return p.Image, err
}

// DecodePicture reads one PNG (8 or 16 bit, gray, RGB or palette), JPEG (gray, YCbCr
// or CMYK), TIFF (gray, RGB or palette; the first page), WebP or uncompressed BMP. Gray files
// give 1 channel, all others 3. Values are v/255, or v/65535 for 16 bit, and colour is what
// it is without transparency. Images are turned as Exif data and TIFFs say they are to be.
// Animations are refused.
func DecodePicture(r io.Reader) (Picture, error) {
	br := bufio.NewReader(r)
	head, err := br.Peek(headerLen)
	if err != nil && !errors.Is(err, io.EOF) {
		return Picture{}, err
	}
	if _, _, err := sniff(bytes.NewReader(head)); err != nil { // before the rest is read
		return Picture{}, err
	}
	data, err := all(br)
	if err != nil {
		return Picture{}, err
	}
	return decode(bytes.NewReader(data), int64(len(data)))
}

func decode(r io.ReaderAt, size int64) (Picture, error) {
	f, head, err := sniff(r)
	if err != nil {
		return Picture{}, err
	}
	_, t, err := f.header(r, size)
	if err != nil {
		return Picture{}, err
	}
	src, err := f.decode(io.NewSectionReader(r, 0, size))
	if err != nil {
		return Picture{}, f.damaged(err)
	}
	p := fromGo(src, f.name, f.name == "PNG" && (head[25] == 0 || head[25] == 4))
	if t.pages {
		p.Note = "it has several pages, of which this is the first"
	}
	if t.inverted {
		p.Image = p.apply(func(v float32) float32 { return 1 - v })
	}
	return p.oriented(t.orientation), nil
}

// ReadSize returns the height and width of the image file at path from its
// header alone, as [Read] would find them. Errors name the file.
func ReadSize(path string) (h, w int, err error) {
	file, size, err := openFile(path)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	f, _, err := sniff(file)
	if err != nil {
		return 0, 0, fmt.Errorf("read image %s: %w", path, err)
	}
	cfg, t, err := f.header(file, size)
	if err != nil {
		return 0, 0, fmt.Errorf("read image %s: %w", path, err)
	}
	if t.orientation.turned() {
		return cfg.Width, cfg.Height, nil
	}
	return cfg.Height, cfg.Width, nil
}

// header reads what stands beside the pixels, and refuses what is not to be decoded.
func (f format) header(r io.ReaderAt, size int64) (image.Config, traits, error) {
	t := f.traits(r)
	switch {
	case t.frames > 1:
		return image.Config{}, t, fmt.Errorf("an animated %s of %d frames, want a still image: "+
			"give frames as a folder of images, or as Y4M", f.name, t.frames)
	case t.cmyk:
		return image.Config{}, t, fmt.Errorf("a %s in CMYK, want gray or RGB", f.name)
	case t.planar:
		return image.Config{}, t, fmt.Errorf("a %s with red, green and blue apart from each other, want them pixel by pixel", f.name)
	}
	cfg, err := f.config(io.NewSectionReader(r, 0, size))
	if err != nil {
		return cfg, t, f.damaged(err)
	}
	if cfg.Width < 1 || cfg.Height < 1 || cfg.Width > MaxPixels/cfg.Height {
		return cfg, t, fmt.Errorf("%s header says %dx%d pixels, want 1 to %d in all",
			f.name, cfg.Width, cfg.Height, MaxPixels)
	}
	return cfg, t, nil
}

// damaged tells files that are not as they should be from those of kinds that the decoders
// do not know.
func (f format) damaged(err error) error {
	var other tiff.UnsupportedError
	switch {
	case errors.Is(err, bmp.ErrUnsupported):
		return errors.New("a kind of BMP that is not read, want pixels without compression, of 1, 2, 4, 8, 24 or 32 bits")
	case errors.As(err, &other):
		return fmt.Errorf("a kind of TIFF that is not read (%s), want gray, RGB or palette of 8 or 16 bits", string(other))
	}
	return fmt.Errorf("damaged %s image: %w", f.name, err)
}

// sniff finds the format by its signature, or says what the bytes look like. It
// returns the first bytes too, as many as there are and zeros.
func sniff(r io.ReaderAt) (format, []byte, error) {
	head := make([]byte, headerLen)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return format{}, nil, err
	}
	for _, f := range formats {
		if f.is(head[:n]) {
			return f, head, nil
		}
	}
	kind := http.DetectContentType(head[:n])
	switch {
	case n == 0:
		return format{}, nil, fmt.Errorf("not a %s image: the file is empty", kinds)
	case kind == "image/gif":
		return format{}, nil, fmt.Errorf("a GIF image, which is not read: want %s, and of an animation its frames "+
			"as a folder of images or as Y4M", kinds)
	}
	kind, _, _ = strings.Cut(kind, ";")
	return format{}, nil, fmt.Errorf("not a %s image: it looks like %s", kinds, kind)
}
