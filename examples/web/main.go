// Command web restores a picture in a web page: it converts the fixture RED-Net to a
// spiking network in the exact form, serves it with a page that runs it by
// onnxruntime-web, and says what the page should find, to the bit.
//
//	make onnxruntime && cd examples/web && go run .
//
// onnxruntime-web comes from the folder node_modules that -modules names.
package main

import (
	"context"
	"embed"
	"encoding/binary"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"math"
	"net/http"
	"os"
	"path/filepath"

	"spikingir"
	"spikingir/graph"
	"spikingir/onnxio"
)

// timesteps of the network of the page: more look better and take longer.
const timesteps = 16

// sigma is the noise that RED-Net was trained for, in 8-bit units.
const sigma = 25

//go:embed page
var page embed.FS

func main() {
	log.SetFlags(0)
	address := flag.String("address", "localhost:8000", "address to serve the page at")
	root := flag.String("root", filepath.Join("..", ".."), "the repository")
	modules := flag.String("modules", filepath.Join("..", "..", "build", "interop", "node_modules"), "folder with onnxruntime-web in it")
	flag.Parse()
	h, err := handler(context.Background(), *root, *modules)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", *address)
	log.Fatal(http.ListenAndServe(*address, h))
}

// handler serves the page and what it needs.
func handler(ctx context.Context, root, modules string) (http.Handler, error) {
	dist := filepath.Join(modules, "onnxruntime-web", "dist")
	if _, err := os.Stat(dist); err != nil {
		return nil, fmt.Errorf("onnxruntime-web is missing: run `make onnxruntime` in the repository, or name its folder by -modules: %w", err)
	}
	p, err := prepare(ctx, root)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for name, body := range map[string][]byte{"/model.onnx": p.model, "/noisy.bin": p.noisy, "/restored.bin": p.restored} {
		mux.HandleFunc(name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Write(body)
		})
	}
	mux.HandleFunc("/about.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"width": %d, "height": %d, "timesteps": %d, "sigma": %d, "bytes": %d}`, p.width, p.height, timesteps, sigma, len(p.model))
	})
	mux.Handle("/ort/", http.StripPrefix("/ort/", http.FileServer(http.Dir(dist))))
	files, err := fs.Sub(page, "page")
	if err != nil {
		return nil, err
	}
	mux.Handle("/", http.FileServerFS(files))
	return mux, nil
}

// A prepared network, a picture with noise, [3][height][width] of float32, and the picture
// that spikingir restores.
type prepared struct {
	model           []byte
	noisy, restored []byte
	width, height   int
}

func prepare(ctx context.Context, root string) (*prepared, error) {
	m, err := spikingir.Read(filepath.Join(root, "fixtures", "models", "rednet.onnx"))
	if err != nil {
		return nil, err
	}
	s := spikingir.DefaultSettings()
	s.Timesteps, s.Exact = timesteps, true
	if _, err := spikingir.Convert(ctx, m, spikingir.Options{Recipe: "two-phase", Settings: s}); err != nil {
		return nil, err
	}
	clean, err := spikingir.ReadImage(filepath.Join(root, "fixtures", "images", "clean", "s02.png"))
	if err != nil {
		return nil, err
	}
	noisy, err := spikingir.Task{Kind: spikingir.Denoise, Sigma: sigma}.Degrade(clean, 1)
	if err != nil {
		return nil, err
	}
	net, err := spikingir.Open(m, spikingir.RunOptions{})
	if err != nil {
		return nil, err
	}
	defer net.Close()
	y, err := net.Run(ctx, &spikingir.Tensor{DType: graph.Float32, Dims: []int{1, noisy.C, noisy.H, noisy.W}, F32: noisy.Pix})
	if err != nil {
		return nil, err
	}
	p := &prepared{noisy: bytes(noisy.Pix), restored: bytes(y[0].F32), width: noisy.W, height: noisy.H}
	p.model, err = onnxio.Encode(m)
	return p, err
}

// bytes are the numbers as the page reads them.
func bytes(x []float32) []byte {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}
