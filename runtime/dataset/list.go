package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extensions are the file name endings, in lower case, that List takes.
var extensions = []string{".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"}

// List returns the paths of the images in dir, by extension in either case and
// in byte order of their names. Subfolders and names that begin with a dot are
// passed over. A folder without an image is an error.
func List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("image folder %s does not exist", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("list image folder: %w", err)
	}
	var paths []string
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || !slices.Contains(extensions, ext) {
			continue
		}
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("image folder %s holds no image: it is empty, want some (%s)", dir, strings.Join(extensions, ", "))
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("image folder %s holds no image (%s) among its %d entries",
			dir, strings.Join(extensions, ", "), len(entries))
	}
	slices.Sort(paths)
	return paths, nil
}

func stem(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// byStem lists dir and indexes the paths by stem; two files of one stem, such
// as a.png and a.jpg, are an error.
func byStem(dir string) (map[string]string, error) {
	paths, err := List(dir)
	if err != nil {
		return nil, err
	}
	index := make(map[string]string, len(paths))
	for _, p := range paths {
		if other, taken := index[stem(p)]; taken {
			return nil, fmt.Errorf("%s and %s have the same name up to the extension, want one of them",
				other, p)
		}
		index[stem(p)] = p
	}
	return index, nil
}
