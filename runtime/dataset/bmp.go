package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
)

// A bmpHeader is what decodeBMP needs of a Windows bitmap's two headers.
type bmpHeader struct {
	width, height int
	bits          int  // per pixel: 8 (palette), 24 or 32
	topDown       bool // the first stored row is the uppermost
	colors        int  // palette entries
	dibSize       int  // bytes of the second header
	offset        int  // of the pixels, from the start of the file
}

const (
	bmpFileHeader = 14
	bmpInfoHeader = 40
)

// readBMPHeader reads the file header and the first 40 bytes of the info
// header. Only uncompressed files of 8, 24 or 32 bit are accepted.
func readBMPHeader(r io.Reader) (bmpHeader, error) {
	var b [bmpFileHeader + bmpInfoHeader]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return bmpHeader{}, fmt.Errorf("header is cut short: %w", err)
	}
	u32 := func(i int) int { return int(int32(binary.LittleEndian.Uint32(b[i:]))) }
	h := bmpHeader{
		offset: u32(10), dibSize: u32(14),
		width: u32(18), height: u32(22),
		bits:   int(binary.LittleEndian.Uint16(b[28:])),
		colors: u32(46),
	}
	if h.height < 0 {
		h.height, h.topDown = -h.height, true
	}
	if h.dibSize < bmpInfoHeader || h.dibSize > 1<<10 {
		return h, fmt.Errorf("info header of %d bytes, want 40 to 1024", h.dibSize)
	}
	if c := u32(30); c != 0 {
		return h, fmt.Errorf("compression method %d, want 0 (none)", c)
	}
	if h.bits != 8 && h.bits != 24 && h.bits != 32 {
		return h, fmt.Errorf("%d bits per pixel, want 8, 24 or 32", h.bits)
	}
	if h.bits == 8 && h.colors == 0 {
		h.colors = 256
	}
	if h.bits != 8 {
		h.colors = 0
	}
	if h.colors < 0 || h.colors > 256 {
		return h, fmt.Errorf("palette of %d colours, want at most 256", h.colors)
	}
	if least := bmpFileHeader + h.dibSize + 4*h.colors; h.offset < least || h.offset > 1<<20 {
		return h, fmt.Errorf("pixels start at byte %d, want %d or a little later", h.offset, least)
	}
	return h, nil
}

func decodeBMPConfig(r io.Reader) (image.Config, error) {
	h, err := readBMPHeader(r)
	return image.Config{ColorModel: color.NRGBAModel, Width: h.width, Height: h.height}, err
}

// decodeBMP reads an uncompressed bitmap. The caller has checked its size.
func decodeBMP(r io.Reader) (image.Image, error) {
	h, err := readBMPHeader(r)
	if err != nil {
		return nil, err
	}
	extra := make([]byte, h.offset-bmpFileHeader-bmpInfoHeader)
	if _, err := io.ReadFull(r, extra); err != nil {
		return nil, fmt.Errorf("palette is cut short: %w", err)
	}
	palette := extra[h.dibSize-bmpInfoHeader:]
	row := make([]byte, (h.width*(h.bits/8)+3)&^3)
	out := image.NewNRGBA(image.Rect(0, 0, h.width, h.height))
	for i := range h.height {
		if _, err := io.ReadFull(r, row); err != nil {
			return nil, fmt.Errorf("pixels end in row %d of %d: %w", i+1, h.height, err)
		}
		y := h.height - 1 - i
		if h.topDown {
			y = i
		}
		if err := h.unpack(out.Pix[y*out.Stride:], row, palette); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unpack writes one stored row (blue, green, red) as opaque RGBA.
func (h bmpHeader) unpack(dst, row, palette []byte) error {
	step := h.bits / 8
	for x := range h.width {
		p := row[x*step:]
		if h.bits == 8 {
			i := int(p[0])
			if i >= h.colors {
				return errors.New("a pixel names a colour outside the palette")
			}
			p = palette[4*i:]
		}
		dst[4*x], dst[4*x+1], dst[4*x+2], dst[4*x+3] = p[2], p[1], p[0], 255
	}
	return nil
}
