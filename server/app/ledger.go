package app

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/audit"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/web"
	"aovuon/server/witness"
)

// LedgerConfig says who else must have seen the ledger's heads.
type LedgerConfig struct {
	PolicyFile string `yaml:"policy_file"` // tlog-policy; its witnesses with an address are asked to cosign every head
	Batches    string `yaml:"batches"`     // open: everybody may read the gateways' batches and recompute the evidence; closed
}

// logName is the origin of the server's ledger: the name of the key that signs its heads.
func (c *Config) logName() string { return c.Name + "/ledger" }

// firstLedgerKey makes the key of a ledger that was never signed: of a server that is older than its ledger.
func (c *Config) firstLedgerKey(ctx context.Context, db *sqldb.DB) error {
	signed, err := db.Checkpoint(ctx, 0)
	if err != nil || signed != nil {
		return err
	}
	_, err = wire.CreateKey(c.ledgerKeyFile(), c.logName())
	return err
}

// loadLedgerKey reads the key that signs the ledger's heads.
func (c *Config) loadLedgerKey() (note.Signer, string, error) {
	signer, vkey, err := loadKeyOf(c.ledgerKeyFile(), "the ledger was signed with it: put back the copy you kept")
	if err == nil && signer.Name() != c.logName() {
		err = fmt.Errorf("key file %s signs for %q, the server is named %q: set name back to what it was", c.ledgerKeyFile(), signer.Name(), c.Name)
	}
	return signer, vkey, err
}

// readPolicy reads the policy the configuration names; nil where it names none.
func (c *Config) readPolicy() (*ledger.Policy, error) {
	if c.Ledger.PolicyFile == "" {
		return nil, nil //nolint:nilnil // no policy is no error
	}
	return readPolicy(c.Ledger.PolicyFile)
}

func readPolicy(path string) (*ledger.Policy, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w: server ledger policy prints one to start from", err)
	}
	return ledger.ParsePolicy(path, raw)
}

// ownPolicy is the policy of the configuration, or one that believes this log alone.
func (c *Config) ownPolicy() (*ledger.Policy, error) {
	if p, err := c.readPolicy(); p != nil || err != nil {
		return p, err
	}
	_, vkey, err := c.loadLedgerKey()
	if err != nil {
		return nil, err
	}
	return ledger.ParsePolicy("policy", fmt.Appendf(nil, "log %s\nquorum none\n", vkey))
}

// How often a new leaf waits for a signed head at most, and how long a witness may take to answer.
const (
	signEvery       = time.Second
	witnessPatience = 10 * time.Second
)

// openLedger makes what signs the ledger's heads, and what asks witnesses.
func (s *running) openLedger(ctx context.Context) error {
	if err := s.config.firstLedgerKey(ctx, s.db); err != nil {
		return err
	}
	signer, vkey, err := s.config.loadLedgerKey()
	if err != nil {
		return err
	}
	s.ledger, err = ledger.NewPublisher(ledger.PublisherOptions{Tree: s.db, Signer: signer, VKey: vkey, Every: signEvery, Now: s.now, Log: s.log})
	if err != nil {
		return err
	}
	p, err := s.config.readPolicy()
	if err != nil || p == nil {
		return err
	}
	if !p.Believes(vkey) { // or an audit of this server by its own policy would believe nothing of it
		return fmt.Errorf("ledger.policy_file: %s does not name this server's ledger: add the line \"log %s\"", s.config.Ledger.PolicyFile, vkey)
	}
	s.witnesses = ledger.NewGatherer(s.db, s.ledger.Verifier(), p, &witness.Client{HTTP: &http.Client{Timeout: witnessPatience}}, s.now, s.log)
	s.policy = p
	return nil
}

// logKey is what pages need of the ledger's key.
func (s *running) logKey() web.LogKey {
	return web.LogKey{VKey: s.ledger.VKey(), Verifier: s.ledger.Verifier(), Policy: s.policy, SignStatement: s.ledger.SignStatement}
}

type ledgerCmd struct {
	Bundle ledgerBundleCmd `cmd:"" help:"Write the evidence bundle of a lot: proofs and batches that are checked with no server (server verify LOT.zip)."`
	Policy ledgerPolicyCmd `cmd:"" help:"Print a policy file that believes this server's ledger: for those who check its proofs."`
}

type ledgerBundleCmd struct {
	Lot string `arg:"" help:"The lot's path, as in /01/09521234010036/10/AO1-261124."`
	Out string `required:"" help:"File to write (.zip); one that is there stays." type:"path"`
}

// Run writes the bundle. A bundle that fails leaves no file.
func (cmd *ledgerBundleCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	_, vkey, err := c.loadLedgerKey()
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		f, err := os.OpenFile(cmd.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
		if err := errors.Join(audit.WriteBundle(ctx, db, cmd.Lot, vkey, f), f.Sync(), f.Close()); err != nil {
			return errors.Join(err, os.Remove(cmd.Out))
		}
		return e.printf("%s\n", cmd.Out)
	})
}

type ledgerPolicyCmd struct{}

// Run prints the policy that the configuration names, or one of this log alone.
func (ledgerPolicyCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if c.Ledger.PolicyFile != "" {
		raw, err := os.ReadFile(c.Ledger.PolicyFile)
		if err != nil {
			return fmt.Errorf("policy: %w", err)
		}
		return e.printf("%s", raw)
	}
	_, vkey, err := c.loadLedgerKey()
	if err != nil {
		return err
	}
	return e.printf("# Add witnesses that you trust, as in: witness NAME KEY, and their quorum. Compare the key with one you were given on paper.\nlog %s %s/ledger\nquorum none\n",
		vkey, c.PublicURL)
}

type verifyCmd struct {
	Proof  string `arg:"" help:"A .tlog-proof file, the evidence bundle of a lot (.zip), or its signed statement (.jws)." type:"path"`
	Policy string `required:"" help:"File that says which log is believed and which witnesses must have seen it (server ledger policy)." type:"path"`
	Body   string `help:"Answer of /ledger/body/N: what was recorded, checked against the leaf." type:"path"`
}

// errNoQuorum says that a proof is right, and seen by too few.
var errNoQuorum = errors.New("too few of the policy's witnesses have seen it")

// maxProofFile bounds what is read of a proof or a body.
const maxProofFile = 16 << 20

// Run checks a proof with no server and no network.
func (cmd *verifyCmd) Run(e *env) error {
	p, err := readPolicy(cmd.Policy)
	if err != nil {
		return err
	}
	if audit.IsBundle(cmd.Proof) {
		return cmd.bundle(e, p)
	}
	raw, err := readBounded(cmd.Proof)
	if err != nil {
		return err
	}
	if strings.HasSuffix(cmd.Proof, ".jws") {
		return cmd.statement(e, raw, p)
	}
	v, err := p.Check(raw)
	if err != nil {
		return fmt.Errorf("%s: not proven: %w", cmd.Proof, err)
	}
	if cmd.Body != "" {
		if err := checkBody(cmd.Body, v.Leaf); err != nil {
			return err
		}
	}
	err = e.printf("recorded    %s %s\nby          %s\nat          %s (the server's clock)\nleaf        %d of %d in %s\nsigned by   %s\nwitnessed   by %d of %d\n",
		v.Leaf.Kind, v.Leaf.Subject, v.Leaf.Actor, v.Leaf.Time.Format(time.RFC3339), v.Index, v.Head.Size, v.Head.Origin, v.Head.Origin, len(v.Seen), v.Of)
	for _, s := range v.Seen {
		err = errors.Join(err, e.printf("            %s at %s\n", s.Name, s.Time.Format(time.RFC3339)))
	}
	if cmd.Body != "" {
		err = errors.Join(err, e.printf("body        is what was recorded\n"))
	}
	if err == nil && !v.Quorum {
		err = fmt.Errorf("%s: %w: %d of %d", cmd.Proof, errNoQuorum, len(v.Seen), v.Of)
	}
	if err != nil {
		return err
	}
	return e.printf("proven: unchanged since it was recorded. That it is true is not proven: only that this was said, then.\n")
}

// bundle checks the evidence bundle of a lot.
func (cmd *verifyCmd) bundle(e *env, p *ledger.Policy) (err error) {
	z, err := zip.OpenReader(cmd.Proof)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.Proof, err)
	}
	defer func() { err = errors.Join(err, z.Close()) }()
	dir, err := os.MkdirTemp("", "aovuon-verify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := audit.CheckBundle(e.ctx, &z.Reader, p, dir)
	if err != nil {
		return fmt.Errorf("%s: not proven: %w", cmd.Proof, err)
	}
	err = e.printf("lot         %s, %s to %s\nsealed      %s, leaf %d of %d in %s\nwitnessed   by %d of %d\nbatches     %d, %d readings: signatures and chains up to the sealed heads\n",
		r.Seal.Lot, r.Lot.Stocked.Format(time.DateOnly), r.Lot.Harvested.Format(time.DateOnly), r.Verdict.Leaf.Time.Format(time.RFC3339), r.Verdict.Index,
		r.Verdict.Head.Size, r.Verdict.Head.Origin, len(r.Verdict.Seen), r.Verdict.Of, r.Batches, r.Readings)
	if len(r.Unsigned) > 0 {
		err = errors.Join(err, e.printf("unsigned    %s: %s\n", strings.Join(r.Unsigned, ", "), sealedByServer))
	}
	if a := r.Release; a == nil {
		err = errors.Join(err, e.printf("released    nothing is told of it here\n"))
	} else {
		err = errors.Join(err, e.printf("released    %s, leaf %d: %g kg came in, %g kg had left, %g kg were packed, %d serials; %d events behind it\n",
			a.At.Format(time.RFC3339), r.Released.Index, a.Account.InKG, a.Account.OutKG, a.Account.PackedKG, r.Serials, len(a.Events)))
	}
	for _, f := range r.Findings {
		err = errors.Join(err, e.printf("WRONG       %s\n", f))
	}
	switch {
	case err != nil:
		return err
	case len(r.Findings) > 0:
		return fmt.Errorf("%s: %w", cmd.Proof, errUnsound)
	case !r.Verdict.Quorum:
		return fmt.Errorf("%s: %w: %d of %d", cmd.Proof, errNoQuorum, len(r.Verdict.Seen), r.Verdict.Of)
	}
	return e.printf("proven: the evidence is what these batches come to, unchanged since it was sealed\n")
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxProofFile {
		return nil, fmt.Errorf("%s: %d bytes: no proof is longer than %d", path, info.Size(), maxProofFile)
	}
	return os.ReadFile(path)
}

// checkBody checks that a body file holds what a leaf is the hash of.
func checkBody(path string, l ledger.Leaf) error {
	raw, err := readBounded(path)
	if err != nil {
		return err
	}
	var b struct{ Salt, Body string }
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("%s: want what /ledger/body/N answers: %w", path, err)
	}
	salt, errSalt := base64.StdEncoding.DecodeString(b.Salt)
	body, errBody := base64.StdEncoding.DecodeString(b.Body)
	if err := errors.Join(errSalt, errBody); err != nil {
		return fmt.Errorf("%s: want what /ledger/body/N answers: %w", path, err)
	}
	if ledger.ContentHash(salt, body) != l.Content {
		return fmt.Errorf("%s: not what was recorded: it does not hash to the leaf", path)
	}
	return nil
}
