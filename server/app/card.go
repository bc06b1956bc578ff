package app

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"aovuon/server/account"
	"aovuon/server/label"
	"aovuon/server/sqldb"
)

type cardPrintCmd struct {
	Logins []string `arg:"" name:"login" help:"Farmers."`
}

// Run makes cards and prints each with its QR code. The codes are not kept: what is not printed now is made anew.
func (cmd *cardPrintCmd) Run(e *env) error {
	return e.withAccounts(func(ctx context.Context, c Config, s *account.Service, _ *sqldb.DB) error {
		var ids []string
		for _, login := range cmd.Logins { // all are known before the first card is made
			a, err := s.Find(ctx, login)
			if err != nil {
				return err
			}
			ids = append(ids, a.ID)
		}
		made, err := s.MakeCards(ctx, ids, e.by()) // all of them may have one, or none is made
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(cmd.Logins, ", "), err)
		}
		for _, n := range made {
			qr, err := label.New(c.base() + "/c/" + n.Code)
			if err != nil {
				return err
			}
			if err := e.printf("%s  card %s\n%s%s\n\n", n.Name, n.ID, qr.Terminal(false), account.ShowCode(n.Code)); err != nil {
				return err
			}
		}
		return nil
	})
}

type cardListCmd struct{}

// Run lists the cards.
func (cardListCmd) Run(e *env) error {
	return e.withAccounts(func(ctx context.Context, _ Config, s *account.Service, _ *sqldb.DB) error {
		all, err := s.Cards.Cards(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "CARD\tACCOUNT\tMADE\tPHONE\tREVOKED"); err != nil {
			return err
		}
		for _, c := range all {
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.ID, c.Account, stamp(c.Made), stamp(c.Bound), stamp(c.Revoked)); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

type cardRevokeCmd struct {
	Card string `arg:"" help:"Its number, as printed on it."`
}

// Run revokes a card.
func (cmd *cardRevokeCmd) Run(e *env) error {
	return e.withAccounts(func(ctx context.Context, _ Config, s *account.Service, _ *sqldb.DB) error {
		if err := s.Cards.RevokeCard(ctx, cmd.Card, e.by()); err != nil {
			return fmt.Errorf("card %s: %w", cmd.Card, err)
		}
		return e.printf("card %s revoked\n", cmd.Card)
	})
}
