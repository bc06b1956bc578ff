package app

import (
	"encoding/json"
	"fmt"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/trace/statement"
)

// statement checks what a co-op said of a lot, and prints it.
func (cmd *verifyCmd) statement(e *env, raw []byte, p *ledger.Policy) error {
	s, err := statement.Open(raw, p.Believes)
	if err != nil {
		return fmt.Errorf("%s: not proven: %w", cmd.Proof, err)
	}
	said, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return e.printf("signed by   %s\nat          %s\n%s\n", s.Issuer, time.Unix(s.Issued, 0).UTC().Format(time.RFC3339), said)
}
