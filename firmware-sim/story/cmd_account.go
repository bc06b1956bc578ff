package story

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/spool"
)

// slack is what a commit may come late by on two busy cores: waiting for the processor, and for the disk.
const slack = time.Second

// conversion is how long a thermometer still works at an answer when the one who asked for it is gone.
const conversion = time.Second

// isGateway reports whether a program is a gateway, whose memory dies with it.
func isGateway(p *Program) bool { return filepath.Base(p.Bin) == "gateway" }

// cut is a power cut: SIGKILL. What a gateway took since its last commit may be lost.
func (c *cast) cut(ts *testscript.TestScript, name string) {
	p, began := c.program(ts, name), c.o.Now()
	ts.Check(p.Kill())
	if !isGateway(p) {
		return
	}
	commit, err := time.ParseDuration(ts.Getenv("COMMIT"))
	if err != nil {
		commit = 2 * time.Second // the gateway's default
	}
	if commit+slack > 10*time.Second {
		ts.Fatalf("a gateway that commits every %v may lose more than the promised 10 s", commit)
	}
	c.losses = append(c.losses, window{began.Add(-commit - slack), c.o.Now().Add(conversion)})
}

// interrupted notes where a question may lie that Ctrl-C cut off: the chip had answered, the gateway had not noted it yet.
func (c *cast) interrupted(p *Program, from, to time.Time) {
	if isGateway(p) {
		c.losses = append(c.losses, window{from.Add(-slack / 2), to.Add(conversion)})
	}
}

// touched notes that a device was made to misbehave: from now until it is well again its chip may say anything.
func (c *cast) touched(verb string, args []string, began time.Time) {
	if verb == "set" || verb == "heal" || verb == "dip" || verb == "drift" {
		c.faults = append(c.faults, window{began.Add(-dated), began.Add(24 * time.Hour)})
	}
	if verb != "heal" || len(args) == 0 || args[0] != "all" {
		return
	}
	for i := range c.faults {
		if c.faults[i].to.After(began) {
			c.faults[i].to = c.o.Now().Add(2 * dated) // the answer that was under way
		}
	}
}

// powerCuts cuts a gateway's power so often, at random moments while readings flow.
func powerCuts(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "powercuts NAME TIMES")
	times, err := strconv.Atoi(args[1])
	ts.Check(err)
	p, flowing := c.program(ts, args[0]), 0
	for range times {
		size := c.ledgerSize(ts)
		c.await(ts, Patience, "readings before the power goes", func(context.Context) (bool, string) {
			now := c.ledgerSize(ts)
			return now > size+2000, fmt.Sprintf("the ledger grew by %d bytes", now-size)
		})
		if c.chance.IntN(10) < 7 {
			receipts(ts, false, []string{"gateway.yaml"})
			flowing++
		}
		c.pass(ts, c.chance.upTo(2*time.Second))
		c.cut(ts, args[0])
		c.pass(ts, c.chance.upTo(300*time.Millisecond))
		ts.Check(p.Start())
	}
	c.note(ts, "%d power cuts, before %d of them receipts flowed", times, flowing)
}

func (c *cast) ledgerSize(ts *testscript.TestScript) int64 {
	info, err := os.Stat(ts.MkAbs("ledger.tsv"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	ts.Check(err)
	return info.Size()
}

// settleAccount brings everything to rest and counts.
func settleAccount(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 0, "account [24h|7d|30d] [coarse=SHARE] [only=PREFIX]")
	span, coarse, only := "24h", 0.0, ""
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, "coarse="); ok {
			x, err := strconv.ParseFloat(value, 64)
			ts.Check(err)
			coarse = x
			continue
		}
		if prefix, ok := strings.CutPrefix(arg, "only="); ok {
			only = prefix
			continue
		}
		span = arg
	}
	st := c.drain(ts)
	if st.Released != st.NextSeq-1 {
		ts.Fatalf("the server has signed for batch %d, the gateway's last is %d", st.Released, st.NextSeq-1)
	}
	a := account{answers: c.answers(ts), losses: c.losses, faults: c.faults, coarse: coarse}
	maps.DeleteFunc(a.answers, func(ch channel, _ []ledger.Entry) bool { return !strings.HasPrefix(ch.sensor, only) })
	var sum tally
	c.await(ts, Patience, "the account", func(ctx context.Context) (bool, string) {
		a.charts = map[channel]line{}
		for _, place := range []string{ts.Getenv("POND"), ts.Getenv("PLOT")} {
			all, err := lines(ctx, ts.Getenv("URL"), place, span)
			if err != nil {
				return false, err.Error()
			}
			for _, l := range all {
				a.charts[l.channel] = l
			}
		}
		var wrong []string
		sum, wrong = a.audit()
		if len(wrong) > 12 {
			wrong = append(wrong[:12], fmt.Sprintf("and %d more", len(wrong)-12))
		}
		return wrong == nil, "\n" + strings.Join(wrong, "\n")
	})
	if sum.readings == 0 {
		ts.Fatalf("a story without readings proves nothing")
	}
	c.note(ts, "%d readings of %d channels in the charts, each once; %d faults; %d lost from memory when power went, none else; %d batches, each signed for",
		sum.readings, sum.channels, sum.faults, sum.lost, st.NextSeq-1)
	for name, n := range map[string]int{"READINGS": sum.readings, "LOST": sum.lost, "FAULTS": sum.faults} {
		ts.Setenv(name, strconv.Itoa(n))
	}
}

// quiet is the sensor of a gateway that is only to hand over what it has: it is not there, and says so once.
const quiet = "vang-mat"

// drain stops the gateway politely and has one without probes hand over all that is on its disk.
func (c *cast) drain(ts *testscript.TestScript) spool.Stats {
	if p := c.programs["gateway"]; p != nil && p.Running() {
		ctrlC(ts, false, []string{"gateway"})
	}
	var all map[string]any
	ts.Check(yaml.Unmarshal([]byte(ts.ReadFile("gateway.yaml")), &all))
	for _, key := range []string{"sensors", "derived", "aerators", "alarms", "metrics"} {
		delete(all, key)
	}
	all["buses"] = map[string]any{"w1": map[string]any{"w1": ts.MkAbs("w1")}}
	all["sensors"] = []any{map[string]any{"id": quiet, "kind": "ds18b20", "bus": "w1", "device": "28-0000000000ff", "every": "24h"}}
	raw, err := yaml.Marshal(all)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("gateway-quiet.yaml"), raw, 0o600))
	before, err := c.spoolOf(ts, "gateway-quiet.yaml")
	if err != nil {
		before = spool.Stats{} // it never ran
	}
	c.begin(ts, "gateway", "gateway", "run", "--config", "gateway-quiet.yaml")
	c.awaitSpool(ts, 10*time.Minute, "an empty spool", "gateway-quiet.yaml", func(st spool.Stats) bool {
		return st.Pending == 0 && st.Sealed == 0 && st.NextSeq > max(before.NextSeq, 1)
	})
	ctrlC(ts, false, []string{"gateway"})
	after, err := c.spoolOf(ts, "gateway-quiet.yaml")
	ts.Check(err)
	return after
}

// answers reads the simulator's ledger: the values, by channel.
func (c *cast) answers(ts *testscript.TestScript) map[channel][]ledger.Entry {
	file, err := os.Open(ts.MkAbs("ledger.tsv"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ts.Check(err)
	all := map[channel][]ledger.Entry{}
	err = ledger.Read(file, func(e ledger.Entry) error {
		if e.Fault == "" {
			ch := channel{e.Device, e.Quantity}
			all[ch] = append(all[ch], e)
		}
		return nil
	})
	ts.Check(errors.Join(err, file.Close()))
	return all
}
