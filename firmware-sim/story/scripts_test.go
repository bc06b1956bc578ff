package story_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/firmware-sim/story"
	"aovuon/server/parttest"
)

// TestStories tells the stories that are built in, as `firmware-sim story` does.
func TestStories(t *testing.T) {
	t.Parallel()
	names := story.Names()
	files := make([]string, len(names))
	for i, name := range names {
		files[i] = filepath.Join("stories", name+".txt")
	}
	tell(t, files)
}

// TestScripts runs testdata/script: what an installer or a technician meets, command by command, in the same language.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	tell(t, files)
}

func tell(t *testing.T, files []string) {
	p := story.Params(t.Context(), story.Options{
		Now: time.Now, Many: parttest.Effort(t, 3, 8, 100, 300), Seed: seed(t), Require: os.Getenv("AOVUON_REQUIRE") == "all",
	})
	p.Files = files
	setUp := p.Setup
	p.Setup = func(env *testscript.Env) error {
		if bin := os.Getenv("AOVUON_BIN"); bin != "" {
			env.Setenv("PATH", env.Getenv("PATH")+":"+bin)
		}
		if root, err := filepath.Abs("../../.bin"); err == nil { // influxd, where make has built it
			env.Setenv("PATH", env.Getenv("PATH")+":"+root)
		}
		return setUp(env)
	}
	testscript.Run(t, p)
}

// TestLanguage_IsDocumented holds the commands and LANGUAGE.md together.
func TestLanguage_IsDocumented(t *testing.T) {
	told := map[string]bool{}
	for line := range strings.Lines(story.Language()) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			word, _, _ := strings.Cut(rest, "`")
			word, _, _ = strings.Cut(word, " ")
			told[word] = true
		}
	}
	commands := story.Params(t.Context(), story.Options{}).Cmds
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		if !told[name] {
			t.Errorf("LANGUAGE.md does not tell of %s", name)
		}
	}
	for name := range told {
		if commands[name] == nil {
			t.Errorf("LANGUAGE.md tells of %s, and there is no such command", name)
		}
	}
}

// TestStories_SayWhatTheyAreAbout: the first line of each is what --list prints.
func TestStories_SayWhatTheyAreAbout(t *testing.T) {
	for _, name := range story.Names() {
		if about := story.About(name); len(about) < 20 || len(about) > 120 {
			t.Errorf("%s: about %q", name, about)
		}
	}
}

func ExampleAbout() {
	fmt.Println(story.About("power_cut"))
	// Output: A gateway loses its power again and again while readings flow.
}
