package story

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func setPorts(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "ports NAME...")
	for _, name := range args {
		ts.Setenv(name, strconv.Itoa(c.freePort(ts)))
	}
}

func expand(ts *testscript.TestScript, neg bool, args []string) {
	castOf(ts, neg, args, 1, "expand FILE...")
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "start NAME PROGRAM ARGUMENT...")
	c.begin(ts, args[0], args[1], args[2:]...)
}

func printed(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "printed NAME TEXT")
	ts.Check(c.program(ts, args[0]).AwaitOutput(c.ctx, args[1]))
}

func ctrlC(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "ctrlc NAME...")
	for _, name := range args {
		p, began := c.program(ts, name), c.o.Now()
		ts.Check(p.Stop())
		ended := c.o.Now()
		c.interrupted(p, began, ended)
		took := ended.Sub(began)
		ts.Logf("%s ended %.2f s after Ctrl-C", name, took.Seconds())
		if took > quick {
			ts.Fatalf("%s took %v to end", name, took)
		}
	}
}

func kill9(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "kill9 NAME...")
	for _, name := range args {
		c.cut(ts, name)
	}
}

func programs(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 0, "programs")
	for variable, name := range map[string]string{"SERVER": "server", "GATEWAY": "gateway"} {
		path, err := c.look(ts, name)
		ts.Check(err)
		ts.Setenv(variable, path)
	}
}

// need skips the story aloud where a program of others is not installed; with Options.Require it fails.
func need(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "need PROGRAM... (or root)")
	for _, name := range args {
		if name == "root" {
			if os.Getuid() != 0 {
				c.missing(ts, "root rights", "run the story as root")
			}
			continue
		}
		if _, err := c.look(ts, name); err != nil {
			c.missing(ts, name, installHint(name))
		}
	}
}

func (c *cast) missing(ts *testscript.TestScript, part, mend string) {
	text := fmt.Sprintf("MISSING PART: %s is not here; to tell this story: %s", part, mend)
	if c.o.Require {
		ts.Fatalf("%s", text)
	}
	c.t.Skip(text)
}

// installHint says how to get a program on Debian.
func installHint(name string) string {
	switch name {
	case "influxd":
		return "make influxd, and --programs .bin or a place on PATH"
	case "mosquitto", "mosquitto_passwd":
		return "apt-get install mosquitto"
	case "zbarimg":
		return "apt-get install zbar-tools"
	}
	return "apt-get install " + name
}

// disk mounts a file system of its own over a folder until the story ends.
func disk(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "disk FOLDER MEGABYTES")
	if os.Getuid() != 0 {
		c.missing(ts, "the right to mount a disk", "run the story as root")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	out, err := exec.CommandContext(c.ctx, "mount", "-t", "tmpfs", "-o", "size="+args[1]+"m", "aovuon-story", dir).CombinedOutput()
	if err != nil {
		c.missing(ts, "a tmpfs", fmt.Sprintf("run it where root may mount (%v: %s)", err, strings.TrimSpace(string(out))))
	}
	ts.Defer(func() {
		if out, err := exec.CommandContext(context.WithoutCancel(c.ctx), "umount", "-l", dir).CombinedOutput(); err != nil {
			c.t.Error(fmt.Sprintf("umount %s: %v: %s", dir, err, out))
		}
	})
}

func pass(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "pass DURATION")
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	c.pass(ts, d)
}

func eventually(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "eventually REGEXP COMMAND...")
	re, err := regexp.Compile(args[0])
	ts.Check(err)
	c.await(ts, Patience, strings.Join(args[1:], " "), func(context.Context) (bool, string) {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout") + ts.ReadFile("stderr")
		return err == nil && re.MatchString(out), fmt.Sprintf("%v\n%s", err, out)
	})
}

func greater(ts *testscript.TestScript, neg bool, args []string) {
	castOf(ts, neg, args, 2, "greater A B")
	a, errA := strconv.ParseFloat(args[0], 64)
	b, errB := strconv.ParseFloat(args[1], 64)
	ts.Check(errA)
	ts.Check(errB)
	if a <= b {
		ts.Fatalf("%v is not greater than %v", a, b)
	}
}

func labelPrinted(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "label NAME VAR")
	p := c.program(ts, args[0])
	ts.Check(p.AwaitOutput(c.ctx, "/01/"))
	address := regexp.MustCompile(`https?://[^/\s]+(/01/\S+)`).FindStringSubmatch(p.Out.Run())
	if address == nil {
		ts.Fatalf("no label in:\n%s", p.Out.Run())
	}
	ts.Setenv(args[1], address[0])
	ts.Setenv(args[1]+"_PATH", address[1])
}
