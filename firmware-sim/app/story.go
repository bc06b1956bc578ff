package app

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"aovuon/firmware-sim/story"
)

type storyCommand struct {
	Stories  []string `arg:"" optional:"" help:"Names of stories that are built in, or files (./mine.txt)."`
	List     bool     `help:"List the stories that are built in."`
	Language bool     `help:"Print what stories are written in: every command."`
	Print    bool     `help:"Print the text of the stories and tell none."`
	Programs string   `help:"Folder of the programs gateway, server and firmware-sim; default: where this program is, or .bin." type:"path"`
	Keep     bool     `help:"Keep the folder of a good story, too."`
	Verbose  bool     `help:"Print every command and what it said."`
	Many     int      `default:"20" help:"How often a story repeats what it does at random moments."`
	Seed     uint64   `help:"Of the random moments; default: another at every call."`
}

// Help is what kong prints below the flags.
func (storyCommand) Help() string {
	return "A story is a text file that does things to the real programs and says what must come of it; firmware-sim story --language " +
		"explains every command. Each runs in a folder of its own, on loopback ports of its own. Status 0: all went as it should; 1: not."
}

func (c storyCommand) Run(e *env) error {
	switch {
	case c.Language:
		e.say("%s", story.Language())
		return nil
	case c.List || len(c.Stories) == 0:
		for _, name := range story.Names() {
			e.say("%-16s %s", name, story.About(name))
		}
		return nil
	case c.Print:
		return c.print(e)
	}
	programs, err := c.programs()
	if err != nil {
		return err
	}
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	t := story.Teller{
		Options:  story.Options{Now: time.Now, Many: c.Many, Seed: c.Seed},
		Programs: programs, Keep: c.Keep, Verbose: c.Verbose, Out: e.stdout,
	}
	var failed []string
	for _, name := range c.Stories {
		good, err := t.Tell(e.ctx, name)
		if err != nil {
			return err
		}
		if !good {
			failed = append(failed, name)
		}
		if e.ctx.Err() != nil {
			return errors.New("story: interrupted")
		}
	}
	if failed != nil {
		return fmt.Errorf("story: not as it should be: %v", failed)
	}
	return nil
}

func (c storyCommand) print(e *env) error {
	for _, name := range c.Stories {
		_, text, err := story.Find(name)
		if err != nil {
			return err
		}
		e.say("%s", text)
	}
	return nil
}

// programs returns the folder with the programs that stories start.
func (c storyCommand) programs() (string, error) {
	if c.Programs != "" {
		return c.Programs, whole(c.Programs)
	}
	var tried []string
	if self, err := os.Executable(); err == nil {
		tried = append(tried, filepath.Dir(self))
	}
	if bin, err := filepath.Abs(".bin"); err == nil {
		tried = append(tried, bin)
	}
	var errs []error
	for _, dir := range tried {
		err := whole(dir)
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("story: no folder with all the programs:\n%w\n  mend: make build, or --programs FOLDER", errors.Join(errs...))
}

// whole reports what a folder lacks of the programs.
func whole(dir string) error {
	for _, name := range []string{"gateway", "server", "firmware-sim"} {
		if _, err := exec.LookPath(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("story: no program %s in %s", name, dir)
		}
	}
	return nil
}
