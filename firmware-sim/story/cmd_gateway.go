package story

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/gateway/spool"
)

// spoolOf is what gateway spool says.
func (c *cast) spoolOf(ts *testscript.TestScript, config string) (st spool.Stats, err error) {
	out, err := c.ask(ts, "gateway", "spool", "--config", ts.MkAbs(config))
	if err == nil {
		err = json.Unmarshal([]byte(out), &st)
	}
	return st, err
}

func (c *cast) awaitSpool(ts *testscript.TestScript, limit time.Duration, what, config string, good func(spool.Stats) bool) (st spool.Stats) {
	c.await(ts, limit, what, func(context.Context) (bool, string) {
		var err error
		st, err = c.spoolOf(ts, config)
		return err == nil && good(st), fmt.Sprintf("%+v %v", st, err)
	})
	return st
}

func spoolState(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "spool CONFIG NAME")
	st, err := c.spoolOf(ts, args[0])
	ts.Check(err)
	ts.Setenv(args[1]+"_EPOCH", st.Epoch)
	for name, n := range map[string]uint64{"NEXT": st.NextSeq, "PENDING": st.Pending, "SEALED": st.Sealed, "RELEASED": st.Released} {
		ts.Setenv(args[1]+"_"+name, strconv.FormatUint(n, 10))
	}
}

func drained(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "drained CONFIG")
	c.awaitSpool(ts, 3*time.Minute, "an empty spool", args[0], func(st spool.Stats) bool {
		return st.Pending == 0 && st.Sealed == 0 && st.NextSeq > 1
	})
}

// waits waits until something sealed waits in the gateway's spool for the server.
func waits(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "waits CONFIG")
	c.awaitSpool(ts, Patience, "a batch that waits", args[0], func(st spool.Stats) bool { return st.Sealed > 1 })
}

func growing(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "growing CONFIG N")
	n, err := strconv.ParseUint(args[1], 10, 64)
	ts.Check(err)
	c.awaitSpool(ts, Patience, "a batch after number "+args[1], args[0], func(st spool.Stats) bool { return st.NextSeq > n })
}

// receipts waits until the server has signed for a batch that the gateway has not sealed yet when the command begins: so
// readings flow, now.
func receipts(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "receipts CONFIG")
	var before uint64
	c.awaitSpool(ts, Patience, "a spool", args[0], func(st spool.Stats) bool { before = st.NextSeq; return st.NextSeq > 0 })
	c.awaitSpool(ts, 3*time.Minute, fmt.Sprintf("a receipt for batch %d", before), args[0], func(st spool.Stats) bool {
		return st.Released >= before
	})
}
