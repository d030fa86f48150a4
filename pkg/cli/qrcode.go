package cli

import (
	"strings"

	"rsc.io/qr"
)

// Scanners want so many empty modules around a code.
const qrMargin = 4

// qrCode draws a text for cameras, two modules a character, or returns "" if it is too long. With colours it is dark on
// light on every terminal; without, light modules are drawn, as is right where terminals are dark.
func qrCode(text string, colours bool) string {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return ""
	}
	var drawn strings.Builder
	for y := -qrMargin; y < code.Size+qrMargin; y += 2 {
		if colours {
			drawn.WriteString("\x1b[97;40m")
		}
		for x := -qrMargin; x < code.Size+qrMargin; x++ {
			drawn.WriteString(halfBlock(!code.Black(x, y), !code.Black(x, y+1)))
		}
		if colours {
			drawn.WriteString("\x1b[0m")
		}
		drawn.WriteString("\n")
	}
	return drawn.String()
}

func halfBlock(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}
