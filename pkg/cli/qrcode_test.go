package cli

import (
	"strings"
	"testing"
)

// What is drawn is a square with its three corner marks and a margin, dark on light with colours or without.
func TestQRCode(t *testing.T) {
	t.Parallel()
	const text = "https://op.example/device?user_code=ABCD-EFGH"
	plain, coloured := modulesOf(qrCode(text, false)), qrCode(text, true)
	if got := modulesOf(strings.NewReplacer("\x1b[97;40m", "", "\x1b[0m", "").Replace(coloured)); got != plain {
		t.Errorf("colours change the picture:\n%s", got)
	}
	rows := strings.Split(strings.TrimSuffix(plain, "\n"), "\n")
	size := len([]rune(rows[0])) - 2*qrMargin
	if size < 21 || (size-17)%4 != 0 || len(rows) < size+2*qrMargin {
		t.Fatalf("%d rows of %d columns", len(rows), len(rows[0]))
	}
	for _, corner := range [][2]int{{0, 0}, {size - 7, 0}, {0, size - 7}} {
		for y := range 7 {
			for x := range 7 {
				ring := min(x, y, 6-x, 6-y)
				if dark := rows[qrMargin+corner[1]+y][qrMargin+corner[0]+x] == '#'; dark != (ring != 1) {
					t.Fatalf("the mark at %v is wrong at %d, %d:\n%s", corner, x, y, plain)
				}
			}
		}
	}
	for _, row := range rows[:qrMargin] {
		if strings.Contains(row, "#") {
			t.Errorf("the margin is not light:\n%s", plain)
		}
	}
	if qrCode(strings.Repeat("x", 5000), true) != "" {
		t.Error("a text that does not fit was drawn")
	}
}

// modulesOf reads a drawing back: # is dark.
func modulesOf(drawn string) string {
	var modules strings.Builder
	for line := range strings.Lines(strings.TrimSuffix(drawn, "\n")) {
		line = strings.TrimSuffix(line, "\n")
		modules.WriteString(strings.NewReplacer("█", ".", "▀", ".", "▄", "#", " ", "#").Replace(line) + "\n")
		modules.WriteString(strings.NewReplacer("█", ".", "▀", "#", "▄", ".", " ", "#").Replace(line) + "\n")
	}
	return modules.String()
}
