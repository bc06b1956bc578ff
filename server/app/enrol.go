package app

import (
	"context"
	"fmt"
	"io"
	"os"

	"aovuon/gateway/wire"
	"aovuon/server/sqldb"
)

// maxCards bounds a file of cards: some 200 bytes each.
const maxCards = 16 << 20

type gatewayAddCmd struct {
	Cards []string `arg:"" name:"card" help:"Files with cards, one or several in each, as gateway init, gateway card or firmware-sim fleet init wrote them; - for standard input."`
}

// Run enrols the gateways of all cards, or none of them.
func (cmd *gatewayAddCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	var cards []wire.Card
	from := map[string]string{}
	for _, name := range cmd.Cards {
		some, err := readCards(name)
		if err != nil {
			return fmt.Errorf("card %s: %w", name, err)
		}
		for _, card := range some {
			if first, twice := from[card.Gateway]; twice {
				return fmt.Errorf("card %s: gateway %s has another card in %s: leave the one that counts", name, card.Gateway, first)
			}
			from[card.Gateway] = name
		}
		cards = append(cards, some...)
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		added, err := db.AddGateways(ctx, cards, e.by())
		if err != nil {
			return err
		}
		return e.sayEnrolled(cards, added)
	})
}

func readCards(name string) (cards []wire.Card, err error) {
	in := os.Stdin
	if name != "-" {
		if in, err = os.Open(name); err != nil {
			return nil, err
		}
		defer func() {
			if cerr := in.Close(); err == nil {
				err = cerr
			}
		}()
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxCards+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxCards {
		return nil, fmt.Errorf("more than %d MB: a card has some 200 bytes; is this a file of cards?", maxCards>>20)
	}
	return wire.ParseCards(string(raw))
}

func (e *env) sayEnrolled(cards []wire.Card, added []bool) error {
	fresh := 0
	for i, card := range cards {
		what := "was enrolled already"
		if added[i] {
			what = "enrolled"
			fresh++
		}
		if len(cards) > 10 { // a fleet: one line for all
			continue
		}
		if err := e.printf("gateway %s %s\n", card.Gateway, what); err != nil {
			return err
		}
	}
	if len(cards) <= 10 {
		return nil
	}
	return e.printf("%d gateways enrolled, %d were enrolled already\n", fresh, len(cards)-fresh)
}
