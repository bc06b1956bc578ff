package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// FuzzTake gives whatever can be written as an order to a desk. It is taken or refused, and what was taken agrees.
func FuzzTake(f *testing.F) {
	for _, s := range []string{
		`{"kind":"pack","in":[{"ref":"lot:09521234010036/AO1-261124"}],"out":[{"ref":"","count":3}],"net_g":500}`,
		`{"kind":"box","in":[{"ref":"lot:09521234010036/AO1-261124","count":2}],"out":[{"ref":"box:004000000000000015"}]}`,
		`{"kind":"transform","step":"split","in":[{"ref":"lot:09521234010036/AO1-261124","kg":1}],"out":[{"ref":"lot:09521234010036/","kg":1e-9}]}`,
		`{"kind":"receive","supplier":"x","in":[{"ref":"supply:urn:x/1"}],"out":[{"ref":"lot:09521234010029/A","kg":5}]}`,
		`{"kind":"destroy","step":"labels","reason":"x","in":[{"ref":"item:0123456789ABC","items":["0123456789ABC"]}]}`,
		`{"kind":"void","voids":"01KAAAAAAAAAAAAAAAAAAAAAAB","reason":"\u0000"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var g trace.Goods
		if json.Unmarshal(raw, &g) != nil {
			return
		}
		r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
		ctx := context.WithoutCancel(t.Context())
		r.pack(r.lot, 5)
		_, err := r.desk.Take(ctx, minh, g)
		if _, refused := errors.AsType[*flow.RefusedError](err); err != nil && !refused {
			t.Fatalf("%s: %v", raw, err)
		}
		books, err := r.db.GoodsBooks(ctx)
		if err != nil || len(books.Faults()) > 0 {
			t.Fatalf("%s: %+v %v", raw, books.Faults(), err)
		}
		if a := r.account(r.lot); a.Over() {
			t.Fatalf("%s: %+v", raw, a)
		}
	})
}
