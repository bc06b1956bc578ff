package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/audit"
	"aovuon/server/media"
	"aovuon/server/sqldb"
)

type auditCmd struct {
	URL    string `arg:"" optional:"" help:"Address of the ledger, such as https://htx.example/ledger; without one the database of --config is audited where it lies."`
	Policy string `help:"File that says which log is believed (server ledger policy). Get the key from the co-op on paper, not from the server you audit." type:"path"`
	Keep   string `help:"File with the signed head of the last audit: what was signed then must still be there. It is written anew when everything agrees." type:"path"`
	Gaps   bool   `help:"List the gaps that gateways declared, one a line."`
}

// errUnsound says that an audit found something.
var errUnsound = errors.New("the records do not agree with what was signed")

// Run audits a server.
func (cmd *auditCmd) Run(e *env) (err error) {
	o := audit.Options{}
	if o.Old, err = cmd.kept(); err != nil {
		return err
	}
	if o.Dir, err = os.MkdirTemp("", "aovuon-audit-"); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	if cmd.URL != "" {
		if cmd.Policy == "" {
			return errors.New("audit: --policy is missing: who does not know the log's key can be shown any log (server ledger policy prints it where the co-op is)")
		}
		if o.Policy, err = readPolicy(cmd.Policy); err != nil {
			return err
		}
		src := &audit.Remote{URL: strings.TrimSuffix(cmd.URL, "/"), HTTP: &http.Client{Timeout: 2 * time.Minute}}
		return cmd.report(e, src, o)
	}
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if cmd.Policy != "" {
		o.Policy, err = readPolicy(cmd.Policy)
	} else {
		o.Policy, err = c.ownPolicy()
	}
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		return errors.Join(e.auditMedia(ctx, c.shelf(db)), cmd.report(e, &audit.Local{DB: db}, o))
	})
}

// errAltered says that files are not what the ledger speaks of.
var errAltered = errors.New("photos or voice notes of the diary are not what was kept: put data_dir/media back from a backup")

// auditMedia reads every photo and voice note.
func (e *env) auditMedia(ctx context.Context, s *media.Shelf) error {
	altered, err := s.Check(ctx)
	for _, sum := range altered {
		err = errors.Join(err, e.printf("WRONG       file of %s in %s is gone, or is not what was kept\n", sum, mediaFolder))
	}
	if len(altered) > 0 {
		err = errors.Join(err, errAltered)
	}
	return err
}

// kept reads the head of the last audit; nil where there was none.
func (cmd *auditCmd) kept() ([]byte, error) {
	if cmd.Keep == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(cmd.Keep)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return raw, nil
}

func (cmd *auditCmd) report(e *env, src audit.Source, o audit.Options) error {
	begin := time.Now()
	r, err := audit.Run(e.ctx, src, o)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) {
		if err == nil {
			err = e.printf(format+"\n", args...)
		}
	}
	say("ledger      %s, %d leaves, root %s", r.Head.Origin, r.Head.Size, r.Head.Root)
	say("witnessed   by %d of %d", len(r.Seen), len(o.Policy.Witnesses))
	for _, s := range r.Seen {
		say("            %s at %s", s.Name, s.Time.Format(time.RFC3339))
	}
	say("tiles       %d compared with what the leaves come to", r.Tiles)
	say("bodies      %d are what was recorded, %d were erased", r.Bodies, r.Erased)
	say("rows        %d compared with the newest leaf about each", r.Rows)
	if r.Accounts > 0 {
		say("accounts    %d compared with what the leaves about each come to, passwords, codes and cards by their salted hashes", r.Accounts)
	}
	if r.Changes > 0 {
		say("changes     %d rows of people, consents, requests, settings, land, register, diary and goods compared", r.Changes)
	}
	if r.Goods > 0 {
		say("goods       %d events done again, %d serials and their boxes compared with what comes of it", r.Goods, r.Items)
	}
	if r.Releases > 0 {
		say("releases    %d: the leaves each stands on, and its mass account", r.Releases)
	}
	say("batches     %d of %d chains, %d readings: signatures and chains checked", r.Batches, r.Chains, r.Readings)
	if len(r.Unsigned) > 0 {
		say("unsigned    %d of these readings, of %s: %s", r.UnsignedReadings, strings.Join(r.Unsigned, ", "), sealedByServer)
	}
	say("evidence    of %d sealed lots computed again", r.Seals)
	say("gaps        %d declared by the gateways", len(r.Gaps))
	for _, g := range r.Gaps {
		if cmd.Gaps {
			say("            %s %s to %s: %s, %d readings", g.Gateway, g.From, g.To, g.Reason, g.Lost)
		}
	}
	for _, n := range r.Notes {
		say("not checked %s", n)
	}
	for _, f := range r.Findings {
		say("WRONG       %s", f)
	}
	say("audited in  %.1f s", time.Since(begin).Seconds())
	if err != nil {
		return err
	}
	if !r.Sound() {
		return fmt.Errorf("audit: %w: %d findings", errUnsound, len(r.Findings))
	}
	if !r.Enough {
		return fmt.Errorf("audit: %w: %d of %d", errNoQuorum, len(r.Seen), len(o.Policy.Witnesses))
	}
	if cmd.Keep != "" {
		if err := wire.WriteFile(cmd.Keep, r.Signed, 0o644); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
	}
	return e.printf("everything that was checked agrees\n")
}

// sealedByServer is what an auditor has to know of sources that cannot sign.
const sealedByServer = "sealed by the server, not by the device; nobody can say who sent them"
