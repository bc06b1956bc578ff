package help

import (
	"fmt"
	"image"
	_ "image/png" // pictures are PNG
	"io/fs"
)

// density is how many pixels of a picture lie beside each other on one pixel of the page: screens are taken at twice the size.
const density = 2

// PictureFile returns the name of the file of a screen.
func PictureFile(name string) string { return "pictures/" + name + ".png" }

// measured returns how large a screen is shown, in pixels of the page.
func measured(files fs.FS, name string) (size image.Point, err error) {
	f, err := files.Open(PictureFile(name))
	if err != nil {
		return size, fmt.Errorf("there is no picture of screen %s: README.md says how it is made: %w", name, err)
	}
	defer f.Close() //nolint:errcheck // it was read
	c, _, err := image.DecodeConfig(f)
	if err != nil {
		return size, fmt.Errorf("%s: %w", PictureFile(name), err)
	}
	return image.Pt(c.Width/density, c.Height/density), nil
}
