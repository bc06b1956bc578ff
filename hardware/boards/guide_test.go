package boards_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aovuon/hardware/boards"
)

// A guide is followed by somebody who does this for the first time: each step has a check, and nothing that keeps people and fish alive is left out.
func TestGuides_EveryStepHasACheck(t *testing.T) {
	step, link := regexp.MustCompile(`(?m)^\d+\. .*$`), regexp.MustCompile(`\]\(([^)#]+)`)
	each(t, func(t *testing.T, b boards.Board) {
		steps := map[string]int{}
		for lang, want := range map[string]struct {
			check    string
			headings []string
		}{
			"vi": {"*Kiểm tra:*", []string{"## An toàn {#safety}", "## Các bước {#steps}", "## Chống nước, chống sét {#water}", "## Hay bẩn, hay hỏng {#fouls}", "## Hiệu chuẩn {#calibration}"}},
			"en": {"*Check:*", []string{"## Safety {#safety}", "## Steps {#steps}", "## Water and lightning {#water}", "## What fouls, what fails {#fouls}", "## Calibration {#calibration}"}},
		} {
			file := filepath.Join(b.Name, "guide."+lang+".md")
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := string(raw)
			at := 0
			for _, h := range want.headings {
				i := strings.Index(text[at:], h+"\n")
				if i < 0 {
					t.Errorf("%s: %q misses, or stands elsewhere", file, h)
					continue
				}
				at += i
			}
			for _, line := range step.FindAllString(text, -1) {
				steps[lang]++
				if !strings.Contains(line, want.check) {
					t.Errorf("%s: no check: %s", file, line)
				}
			}
			for _, m := range link.FindAllStringSubmatch(text, -1) {
				if _, err := os.Stat(filepath.Join(b.Name, m[1])); err != nil {
					t.Errorf("%s: link to nowhere: %s", file, m[1])
				}
			}
		}
		if steps["vi"] == 0 || steps["vi"] != steps["en"] {
			t.Errorf("%s: steps %v", b.Name, steps)
		}
	})
}

// What the README says a box costs is what its table adds up to, within a tenth.
func TestReadme_SaysWhatABoxCosts(t *testing.T) {
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, b boards.Board) {
		m := regexp.MustCompile(`(?m)^\| \[` + b.Name + `\].* ([0-9.]+) million VND \|$`).FindSubmatch(raw)
		if m == nil {
			t.Fatal("not in the table")
		}
		said, err := strconv.ParseFloat(string(m[1]), 64)
		if is := float64(b.Price()) / 1e6; err != nil || math.Abs(said-is) > is/10 {
			t.Errorf("says %s million, the table adds up to %.2f (%v)", m[1], is, err)
		}
	})
}

// Who follows a guide makes the wires it names: they are there, the same in both languages, and those at mains are the electrician's and nobody else's.
func TestGuides_NameTheWiresOfTheDrawing(t *testing.T) {
	span := regexp.MustCompile(`(?:wires?|dây|and|và) (\d+)(?: (?:to|đến) (\d+)|,? (?:and |và )?(\d+))?`)
	each(t, func(t *testing.T, b boards.Board) {
		var atMains []int
		for i, w := range b.Wires {
			from, _ := b.Part(w.From)
			to, _ := b.Part(w.To)
			low := regexp.MustCompile(`\b(5V|12V|GND)$`)
			if (from.Kind == boards.Mains || to.Kind == boards.Mains) && !low.MatchString(w.FromPin) && !low.MatchString(w.ToPin) {
				atMains = append(atMains, i+1)
			}
		}
		named := map[string][]int{}
		for lang, electrician := range map[string]string{"vi": "hợ điện", "en": "lectrician"} {
			raw, err := os.ReadFile(filepath.Join(b.Name, "guide."+lang+".md"))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(raw)) {
				if !strings.Contains(line, "wire") && !strings.Contains(line, "dây") {
					continue
				}
				var wires []int
				line, _, _ = strings.Cut(line, "*Check") // what is counted there are no wires
				line, _, _ = strings.Cut(line, "*Kiểm")
				line = strings.ReplaceAll(line, "230 V", "")
				for _, m := range span.FindAllStringSubmatch(line, -1) {
					first, last := number(t, m[1]), number(t, m[1])
					if m[2] != "" {
						last = number(t, m[2])
					}
					for n := first; n <= last; n++ {
						wires = append(wires, n)
					}
					if m[3] != "" {
						wires = append(wires, number(t, m[3]))
					}
				}
				slices.Sort(wires)
				wires = slices.Compact(wires)
				for _, n := range wires {
					if n > len(b.Wires) {
						t.Errorf("%s: there is no wire %d: %s", lang, n, line)
					}
				}
				if len(wires) > 0 && strings.Contains(line, electrician) && !slices.Equal(wires, atMains) {
					t.Errorf("%s: the electrician makes %v; at mains are %v: %s", lang, wires, atMains, line)
				}
				named[lang] = append(named[lang], wires...)
			}
		}
		if !slices.Equal(named["vi"], named["en"]) {
			t.Errorf("Vietnamese names %v, English %v", named["vi"], named["en"])
		}
		for _, n := range atMains {
			if !slices.Contains(named["vi"], n) {
				t.Errorf("nobody is told to make wire %d", n)
			}
		}
	})
}

func number(t *testing.T, digits string) int {
	t.Helper()
	n, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
