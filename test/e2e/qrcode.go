package e2e

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// whiteOnBlack is a line of the terminal that is drawn in the brightest and the darkest colour.
// https://www.xfree86.org/current/ctlseqs.html, "Character Attributes"
var whiteOnBlack = regexp.MustCompile(`^\x1b\[97;40m([█▀▄ ]+)\x1b\[0m$`)

// Scan holds a camera before the screen and returns what the QR code on it says, by a decoder that the product does not
// have. The picture is kept.
func (t *Terminal) Scan(tb testing.TB) string {
	tb.Helper()
	var rows []string
	for _, row := range t.Screen() {
		if drawn := whiteOnBlack.FindStringSubmatch(row); drawn != nil {
			rows = append(rows, drawn[1])
		}
	}
	if len(rows) == 0 {
		tb.Fatalf("there is no QR code on the screen:\n%s", t.Shown())
	}
	picture := photograph(rows)
	savePNG(tb, filepath.Join(tb.ArtifactDir(), "qrcode.png"), picture)
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		tb.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil {
		tb.Fatalf("the QR code cannot be read: %v\n%s", err, t.Shown())
	}
	return result.GetText()
}

// photograph paints characters as terminals do: twice as high as wide, light where the blocks are. The terminal around them
// is dark.
func photograph(rows []string) image.Image {
	const pixels = 6 // the width of a character
	picture := image.NewGray(image.Rect(0, 0, (utf8.RuneCountInString(rows[0])+2)*pixels, (len(rows)+2)*2*pixels))
	for y, row := range rows {
		x := 0
		for _, block := range row {
			x++
			for half, isLight := range []bool{block == '█' || block == '▀', block == '█' || block == '▄'} {
				if isLight {
					corner := image.Pt(x*pixels, (2*y+2+half)*pixels)
					draw.Draw(picture, image.Rectangle{corner, corner.Add(image.Pt(pixels, pixels))},
						image.NewUniform(color.White), image.Point{}, draw.Src)
				}
			}
		}
	}
	return picture
}

func savePNG(tb testing.TB, path string, picture image.Image) {
	tb.Helper()
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, picture); err != nil {
		tb.Fatal(err)
	}
}
