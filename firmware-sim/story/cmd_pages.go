package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func page(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "page URL TEXT...")
	c.awaitURL(ts, args[0], func(body string) error {
		for _, text := range args[1:] {
			if !strings.Contains(body, text) {
				return fmt.Errorf("no %q in:\n%s", text, body)
			}
		}
		return nil
	})
}

func pageLike(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "pagelike URL REGEXP...")
	res := make([]*regexp.Regexp, len(args)-1)
	for i, text := range args[1:] {
		re, err := regexp.Compile(text)
		ts.Check(err)
		res[i] = re
	}
	c.awaitURL(ts, args[0], func(body string) error {
		for _, re := range res {
			if !re.MatchString(body) {
				return fmt.Errorf("nothing like %q in:\n%s", re, body)
			}
		}
		return nil
	})
}

// noPage wants an answer with another status than 200 (which one is said), and none of the texts in it.
func noPage(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "nopage STATUS URL TEXT...")
	status, body, err := getURL(c.ctx, args[1])
	ts.Check(err)
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("%s answers %d, want %s", args[1], status, args[0])
	}
	for _, text := range args[2:] {
		if strings.Contains(body, text) {
			ts.Fatalf("%s says %q:\n%s", args[1], text, body)
		}
	}
}

func (c *cast) awaitURL(ts *testscript.TestScript, url string, check func(body string) error) {
	c.await(ts, Patience, "page "+url, func(ctx context.Context) (bool, string) {
		status, body, err := getURL(ctx, url)
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
	c := castOf(ts, neg, args, 2, "fetch URL FILE")
	status, body, err := getURL(c.ctx, args[0])
	ts.Check(err)
	if status != http.StatusOK {
		ts.Fatalf("%s answers %d", args[0], status)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(body), 0o600))
}

// getURL asks as a Vietnamese browser does that follows no redirect: what is printed on a label answers itself. A server that has been
// asked too often is asked again when it says.
func getURL(ctx context.Context, url string) (status int, body string, err error) {
	for {
		status, wait, body, err := getOnce(ctx, url)
		if status != http.StatusTooManyRequests {
			return status, body, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return status, body, err
		case <-timer.C:
		}
	}
}

// getOnce asks once; wait is for how long a server that has been asked too often wants to be left alone.
func getOnce(ctx context.Context, url string) (status int, wait time.Duration, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, 0, "", err
	}
	req.Header.Set("Accept-Language", "vi")
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, 0, "", err
	}
	raw, err := io.ReadAll(resp.Body)
	seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After"))
	if bad != nil {
		seconds = 1
	}
	return resp.StatusCode, time.Duration(seconds) * time.Second, string(raw), errors.Join(err, resp.Body.Close())
}

func scan(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "scan FILE")
	tool, err := c.look(ts, "zbarimg")
	if err != nil {
		c.missing(ts, "zbarimg", installHint("zbarimg"))
	}
	out, err := exec.CommandContext(c.ctx, tool, "--quiet", "--raw", ts.MkAbs(args[0])).Output()
	ts.Check(err)
	if _, err := ts.Stdout().Write(out); err != nil {
		ts.Fatalf("%v", err)
	}
}
