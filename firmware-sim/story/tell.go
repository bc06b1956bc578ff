package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"
)

// Teller tells stories outside go test.
type Teller struct {
	Options
	Programs string    // folder of gateway, server and firmware-sim; it comes first on PATH
	Keep     bool      // the folder of a good story, too; that of one that failed is always kept
	Verbose  bool      // every command and what it said, also of what went well
	Out      io.Writer // steps and verdicts
}

// Tell tells one story: a file, or a story that is built in, by its name. It returns whether all was as it should be; an
// error is a story that could not be told at all.
func (t Teller) Tell(ctx context.Context, name string) (good bool, err error) {
	name, text, err := Find(name)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "story-")
	if err != nil {
		return false, fmt.Errorf("story: %w", err)
	}
	file := filepath.Join(dir, name+".txt")
	if err := os.WriteFile(file, inSteps(text), 0o600); err != nil {
		return false, fmt.Errorf("story: %w", err)
	}
	s := &stage{name: name, verbose: t.Verbose, step: step{out: t.Out, now: t.Now, began: t.Now()}}
	s.step.print(fmt.Sprintf("%s (--seed %d)", name, t.Seed))
	p := Params(ctx, t.Options)
	setUp := p.Setup
	p.Files, p.WorkdirRoot = []string{file}, dir
	p.Setup = func(env *testscript.Env) error {
		env.Setenv("PATH", t.Programs+string(os.PathListSeparator)+env.Getenv("PATH"))
		return setUp(env)
	}
	s.Run(name, func(st testscript.T) { testscript.RunT(st, p) })
	t.verdict(s, dir, file)
	if !s.failed && !t.Keep {
		err = os.RemoveAll(dir)
	}
	return !s.failed, errors.Join(err, s.step.err)
}

func (t Teller) verdict(s *stage, dir, file string) {
	if s.failed || s.verbose {
		for _, text := range s.log {
			if !s.verbose {
				text = sinceLastStep(text)
			}
			s.step.print(strings.ReplaceAll(text, file, s.name+".txt"))
		}
	}
	word := "good"
	switch {
	case s.failed:
		word = "FAILED"
	case s.skipped != "":
		word = "not told: " + s.skipped
	}
	s.step.print(fmt.Sprintf("%s: %s, after %.1f s", s.name, word, t.Now().Sub(s.step.began).Seconds()))
	if s.failed || t.Keep {
		s.step.print("its folder is kept: " + filepath.Join(dir, "script-"+s.name))
	}
}

// sinceLastStep leaves of testscript's log what belongs to the step that failed.
func sinceLastStep(log string) string {
	if i := strings.LastIndex(log, "> step '"); i > 0 {
		return log[i:]
	}
	return log
}

// inSteps makes a command of every paragraph of comments, so that it is printed when its turn comes. Lines keep their
// numbers.
func inSteps(text []byte) []byte {
	archive := txtar.Parse(text)
	lines := strings.Split(string(archive.Comment), "\n")
	for i := 0; i < len(lines); i++ {
		var words []string
		first := i
		for ; i < len(lines) && strings.HasPrefix(lines[i], "#"); i++ {
			words = append(words, strings.TrimSpace(strings.TrimPrefix(lines[i], "#")))
			lines[i] = ""
		}
		if words != nil {
			lines[first] = "step '" + strings.ReplaceAll(strings.Join(words, " "), "'", "''") + "'"
		}
	}
	archive.Comment = []byte(strings.Join(lines, "\n"))
	return txtar.Format(archive)
}

// Find returns a story's name and text: those of a file, or of a story that is built in.
func Find(name string) (short string, text []byte, err error) {
	if !strings.ContainsAny(name, `/\.`) {
		text, err = fs.ReadFile(stories, "stories/"+name+".txt")
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil, fmt.Errorf("story: no story %s is built in; there are: %s (a story of your own is named as a file: ./%s.txt)", name, strings.Join(Names(), ", "), name)
		}
		return name, text, err
	}
	text, err = os.ReadFile(name)
	if err != nil {
		return "", nil, fmt.Errorf("story: %w", err)
	}
	if !bytes.HasPrefix(text, []byte("#")) {
		return "", nil, fmt.Errorf("story: %s: its first line must be a comment that says what it is about (# …)", name)
	}
	return strings.TrimSuffix(strings.TrimSuffix(filepath.Base(name), ".txt"), ".txtar"), text, nil
}
