package web

import (
	"container/list"
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"aovuon/server/trace"
	"aovuon/server/web/splice"
)

// common is the part of a public page that many codes share, drawn and compressed once.
type common struct {
	page  *splice.Page
	state trace.State // of the lot
	demo  string      // what says that it is made up; empty: it is not

	verdict trace.Verdict // of a box
}

// commonOf says what a shell is of.
type commonOf struct{ what, lang string }

// Bounds of what is kept of commons, and how long drawing one may take.
const (
	mostCommonBytes = 64 << 20
	commonPatience  = 10 * time.Second
)

// commons keeps those that were asked for last, each of the newest revision it was asked for. It is safe for concurrent use.
type commons struct {
	once singleflight.Group

	mu    sync.Mutex
	have  map[commonOf]*list.Element
	order *list.List // of *keptCommon, the last asked for first
	bytes int
}

type keptCommon struct {
	of       commonOf
	revision string
	page     *common
}

func newCommons() *commons { return &commons{have: map[commonOf]*list.Element{}, order: list.New()} }

// get returns the shell of a revision, drawing it where there is none: once, however many wait for it.
func (c *commons) get(ctx context.Context, of commonOf, revision string, draw func(context.Context) (*common, error)) (*common, error) {
	if sh := c.kept(of, revision); sh != nil {
		return sh, nil
	}
	done := c.once.DoChan(of.lang+" "+of.what+" "+revision, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commonPatience) // who asked first may leave, the others wait
		defer cancel()
		sh, err := draw(ctx)
		if err == nil {
			c.keep(of, revision, sh)
		}
		return sh, err
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*common), nil // the function above returns nothing else
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *commons) kept(of commonOf, revision string) *common {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.have[of]
	if !ok {
		return nil
	}
	k, _ := e.Value.(*keptCommon)
	if k.revision != revision {
		return nil
	}
	c.order.MoveToFront(e)
	return k.page
}

func (c *commons) keep(of commonOf, revision string, sh *common) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.have[of]; ok {
		c.drop(e)
	}
	c.have[of] = c.order.PushFront(&keptCommon{of, revision, sh})
	c.bytes += sh.page.Size()
	for c.bytes > mostCommonBytes && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *commons) drop(e *list.Element) {
	k, _ := c.order.Remove(e).(*keptCommon)
	delete(c.have, k.of)
	c.bytes -= k.page.page.Size()
}
