package story_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/server/parttest"
)

// quick is how long a program may take to end after Ctrl-C.
const quick = 15 * time.Second

// TestScripts runs testdata/script: stories as an installer or a technician would live them, command by command. The
// commands beside testscript's own:
//
//	ports NAME...            sets each variable to a free port
//	expand FILE...           puts variables into files
//	start NAME PROGRAM...    starts a program and goes on
//	printed NAME TEXT        waits until it has printed TEXT since it was started
//	ctrlc NAME               Ctrl-C: it must end quickly, with status 0 and no child left
//	kill9 NAME               SIGKILL
//	page URL TEXT...         waits until the page says every TEXT
//	pagelike URL REGEXP      the same for a regular expression
//	fetch URL FILE           keeps what the address answers
//	scan FILE                prints what a QR reader makes of a picture
//	spool CONFIG NAME        sets NAME_EPOCH and NAME_NEXT to what gateway spool says
//	drained CONFIG           waits until the gateway's spool is empty
//	waits CONFIG             waits until something sealed waits in the gateway's spool for the server
//	growing CONFIG N         waits until the gateway's next batch has a number above N
//	greater A B              compares numbers
//	eventually RE COMMAND…   runs a command until it succeeds and prints something like RE
//	programs                 sets SERVER and GATEWAY to the programs' files
//	label NAME VAR           sets VAR to the label's address that a program printed, and VAR_PATH to its path
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			tb, ok := env.T().(testing.TB)
			if !ok {
				return fmt.Errorf("testscript's T is no testing.TB")
			}
			env.Values["cast"] = &cast{tb: tb, programs: map[string]*program{}}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"ports": setPorts, "expand": expand, "start": start, "printed": printed, "ctrlc": ctrlC, "kill9": kill9,
			"page": page, "pagelike": pageLike, "fetch": fetch, "scan": scan, "spool": spoolState, "drained": drained, "growing": growing, "waits": waits,
			"greater": greater, "eventually": eventually, "programs": programs, "label": labelPrinted,
		},
	})
}

// cast is who plays in one script.
type cast struct {
	tb       testing.TB
	programs map[string]*program
}

func castOf(ts *testscript.TestScript, neg bool, args []string, atLeast int, usage string) *cast {
	c, ok := ts.Value("cast").(*cast)
	if !ok || neg || len(args) < atLeast {
		ts.Fatalf("usage: %s", usage)
	}
	return c
}

func (c *cast) program(ts *testscript.TestScript, name string) *program {
	p := c.programs[name]
	if p == nil {
		ts.Fatalf("nobody started %s", name)
	}
	return p
}

func setPorts(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "ports NAME...")
	for _, name := range args {
		ts.Setenv(name, strconv.Itoa(freePort(c.tb)))
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
	name := args[0]
	if c.programs[name] == nil {
		c.programs[name] = newProgram(c.tb, args[1], args[2:]...)
	}
	p := c.programs[name]
	p.bin, p.args, p.dir = args[1], args[2:], ts.MkAbs(".")
	p.start()
}

func printed(ts *testscript.TestScript, neg bool, args []string) {
	castOf(ts, neg, args, 2, "printed NAME TEXT").program(ts, args[0]).awaitOutput(args[1])
}

func ctrlC(ts *testscript.TestScript, neg bool, args []string) {
	p := castOf(ts, neg, args, 1, "ctrlc NAME").program(ts, args[0])
	took := p.stop()
	ts.Logf("%s ended %.2f s after Ctrl-C", args[0], took.Seconds())
	if took > quick {
		ts.Fatalf("%s took %v to end", args[0], took)
	}
}

func kill9(ts *testscript.TestScript, neg bool, args []string) {
	castOf(ts, neg, args, 1, "kill9 NAME").program(ts, args[0]).kill()
}

func page(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "page URL TEXT...")
	awaitURL(c.tb, args[0], func(body string) error {
		for _, text := range args[1:] {
			if !strings.Contains(body, text) {
				return fmt.Errorf("no %q in:\n%s", text, body)
			}
		}
		return nil
	})
}

func pageLike(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "pagelike URL REGEXP")
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	awaitURL(c.tb, args[0], func(body string) error {
		if !re.MatchString(body) {
			return fmt.Errorf("nothing like %q in:\n%s", args[1], body)
		}
		return nil
	})
}

func awaitURL(t testing.TB, url string, check func(body string) error) {
	t.Helper()
	await(t, "page "+url, func() (bool, string) {
		status, body, err := getURL(url)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		if err == nil {
			err = check(body)
		}
		return err == nil, fmt.Sprint(err)
	})
}

func fetch(ts *testscript.TestScript, neg bool, args []string) {
	castOf(ts, neg, args, 2, "fetch URL FILE")
	status, body, err := getURL(args[0])
	ts.Check(err)
	if status != http.StatusOK {
		ts.Fatalf("%s answers %d", args[0], status)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(body), 0o600))
}

func getURL(url string) (status int, body string, err error) {
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // what is printed on a label answers itself
	}}
	resp, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	raw, err := io.ReadAll(resp.Body)
	if bad := resp.Body.Close(); err == nil {
		err = bad
	}
	return resp.StatusCode, string(raw), err
}

func scan(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "scan FILE")
	out, err := exec.Command(parttest.Tool(c.tb, "zbarimg"), "--quiet", "--raw", ts.MkAbs(args[0])).Output()
	ts.Check(err)
	if _, err := ts.Stdout().Write(out); err != nil {
		ts.Fatalf("%v", err)
	}
}

func spoolState(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "spool CONFIG NAME")
	st := spoolOf(c.tb, ts.MkAbs(args[0]))
	ts.Setenv(args[1]+"_EPOCH", st.Epoch)
	ts.Setenv(args[1]+"_NEXT", strconv.FormatUint(st.NextSeq, 10))
}

func drained(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "drained CONFIG")
	awaitWithin(c.tb, 3*time.Minute, "an empty spool", func() (bool, string) {
		st := spoolOf(c.tb, ts.MkAbs(args[0]))
		return st.Pending == 0 && st.Sealed == 0 && st.NextSeq > 1, fmt.Sprintf("%+v", st)
	})
}

func waits(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "waits CONFIG")
	await(c.tb, "a batch that waits", func() (bool, string) {
		st := spoolOf(c.tb, ts.MkAbs(args[0]))
		return st.Sealed > 1, fmt.Sprintf("%+v", st)
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

func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: eventually REGEXP COMMAND...")
	}
	c := castOf(ts, neg, args[:2], 2, "eventually REGEXP COMMAND...")
	re, err := regexp.Compile(args[0])
	ts.Check(err)
	await(c.tb, strings.Join(args[1:], " "), func() (bool, string) {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout") + ts.ReadFile("stderr")
		return err == nil && re.MatchString(out), fmt.Sprintf("%v\n%s", err, out)
	})
}

func growing(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "growing CONFIG N")
	n, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	await(c.tb, "a batch after number "+args[1], func() (bool, string) {
		st := spoolOf(c.tb, ts.MkAbs(args[0]))
		return st.NextSeq > n, fmt.Sprintf("%+v", st)
	})
}

func programs(ts *testscript.TestScript, neg bool, args []string) {
	castOf(ts, neg, args, 0, "programs")
	for variable, name := range map[string]string{"SERVER": "server", "GATEWAY": "gateway"} {
		path, err := exec.LookPath(name)
		ts.Check(err)
		ts.Setenv(variable, path)
	}
}

func labelPrinted(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "label NAME VAR")
	p := c.program(ts, args[0])
	p.awaitOutput("/01/")
	address := regexp.MustCompile(`https?://[^/\s]+(/01/\S+)`).FindStringSubmatch(p.out.run())
	if address == nil {
		ts.Fatalf("no label in:\n%s", p.out.run())
	}
	ts.Setenv(args[1], address[0])
	ts.Setenv(args[1]+"_PATH", address[1])
}
