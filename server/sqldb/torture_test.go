package sqldb_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/farm"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
)

// asRecorder makes the test binary write trace rows and batches into the database it names, and say what was committed: so many rounds, or
// until it is killed.
const asRecorder = "AOVUON_TEST_RECORD_TO"

// recordRounds says "leaf SIZE ROOT" after each trace row and "batch POSITION" after each append, "refused" where the database gave an error.
func recordRounds(c sqldb.Config) error {
	ctx := context.Background()
	rounds, err := strconv.Atoi(os.Getenv(asRecorder + "_ROUNDS"))
	if err != nil {
		rounds = 1 << 40
	}
	db, err := openAgain(ctx, c)
	if err != nil {
		return err
	}
	for life, n := 0, 0; n < rounds; life++ { // a chain that may have a hole is not gone on with
		ch, err := newChain(fmt.Sprintf("gw-%d-%d", os.Getpid(), life))
		if err != nil {
			return err
		}
		for ; n < rounds; n++ {
			said, err := recordOnce(ctx, db, ch, n)
			if err != nil {
				said = "refused"
			}
			if _, errSay := fmt.Println(said); errSay != nil {
				return errSay
			}
			if err != nil {
				n++
				break
			}
		}
	}
	fmt.Println("done")
	return db.Close()
}

// openAgain opens a database on a disk that may fail at first.
func openAgain(ctx context.Context, c sqldb.Config) (db *sqldb.DB, err error) {
	for range 20 {
		if db, err = sqldb.Open(ctx, c); err == nil {
			return db, nil
		}
	}
	return nil, err
}

func recordOnce(ctx context.Context, db *sqldb.DB, ch *chain, n int) (said string, err error) {
	if n%2 == 0 {
		last, err := appendAll(ctx, db, ch, 4)
		return fmt.Sprintf("batch %d", last), err
	}
	p := trace.Product{GTIN: fmt.Sprintf("%014d", time.Now().UnixNano()%1e14), Name: farm.Text{VI: "rau", EN: "greens"}}
	if err := db.SaveProduct(ctx, p, byAt(noon)); err != nil {
		return "", err
	}
	size, err := db.LedgerSize(ctx)
	if err != nil {
		return "", err
	}
	root, err := tlog.TreeHash(size, db.LedgerHashes(ctx))
	return fmt.Sprintf("leaf %d %s", size, root), err
}

// recorded is what the program acknowledged over its lives.
type recorded struct {
	size, position int64
	heads          map[int64]string // root by size
	acks, refused  int
}

func (x *recorded) listen(lines []string) {
	for _, l := range lines {
		var n int64
		var root string
		switch f := strings.Fields(l); {
		case len(f) == 3 && f[0] == "leaf":
			if _, err := fmt.Sscan(f[1]+" "+f[2], &n, &root); err == nil && len(root) == 44 {
				x.size, x.heads[n] = max(x.size, n), root
				x.acks++
			}
		case len(f) == 2 && f[0] == "batch":
			if _, err := fmt.Sscan(f[1], &n); err == nil {
				x.position = max(x.position, n)
				x.acks++
			}
		case l == "refused":
			x.refused++
		}
	}
}

// settleRecords holds what is in the database against what was acknowledged: no leaf and no batch is lost or moved, and every head that was
// seen is in the tree that there is.
func (x *recorded) settle(t *testing.T, path, what string) {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Config{Driver: sqldb.SQLite, DSN: path})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	size, _ := head(t, db)
	end, err := db.LogEnd(t.Context())
	if err != nil || size < x.size || end < x.position {
		t.Fatalf("%s: %d leaves and %d batches of %d and %d acknowledged; %v", what, size, end, x.size, x.position, err)
	}
	for n, want := range x.heads {
		if got, err := tlog.TreeHash(n, db.LedgerHashes(t.Context())); err != nil || got.String() != want {
			t.Fatalf("%s: the head of %d leaves was %s and is %v, %v", what, n, want, got, err)
		}
	}
	list, err := db.SealedBatches(t.Context(), max(1, end-50), end+1)
	if err != nil || int64(len(list)) != end+1-max(1, end-50) {
		t.Fatalf("%s: %d batches up to %d, %v", what, len(list), end, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	x.heads = map[int64]string{size: x.heads[size]} // what was held against the tree once stays in it by the next head
	if x.heads[size] == "" {
		delete(x.heads, size)
	}
}

// recordAndKill runs the program on path and kills it after so many words.
func recordAndKill(t *testing.T, path string, after int) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asRecorder+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	in := bufio.NewScanner(out)
	for in.Scan() {
		if lines = append(lines, in.Text()); len(lines) == after {
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the program ended by itself: %v", err)
	}
	return lines
}

// TestTorture_DiskErrors lets the kernel answer EIO to fsync and writes, and ENOSPC to writes, for six calls from the n-th on: the program
// goes on, and what it was told is stored is stored.
func TestTorture_DiskErrors(t *testing.T) {
	strace := parttest.Tool(t, "strace")
	for _, fault := range []string{"fsync,fdatasync:error=EIO", "pwrite64:error=EIO", "pwrite64:error=ENOSPC"} {
		calls, _, _ := strings.Cut(fault, ":")
		step := parttest.Effort(t, 400, 160, 20, 3)
		x := recorded{}
		runs, acks := 0, 0
		for from := 60; from < 460; from += step {
			path := filepath.Join(t.TempDir(), "server.db")
			cmd := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+calls,
				"-e", fmt.Sprintf("inject=%s:when=%d..%d", fault, from, from+5), os.Args[0])
			cmd.Env = append(os.Environ(), asRecorder+"="+path, asRecorder+"_ROUNDS=120")
			out, err := cmd.Output()
			if err != nil || !strings.HasSuffix(string(out), "done\n") {
				t.Fatalf("%s from call %d on: %v", fault, from, err)
			}
			x.size, x.position, x.heads = 0, 0, map[int64]string{}
			x.listen(strings.Split(string(out), "\n"))
			x.settle(t, path, fmt.Sprintf("%s from call %d on", fault, from))
			runs++
			acks += x.acks
			x.acks = 0
		}
		t.Logf("%s: %d runs, %d transactions refused, %d acknowledged, 0 lost", fault, runs, x.refused, acks)
		if acks == 0 {
			t.Error("nothing was acknowledged")
		}
	}
}
