package app_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"card":   writeCard,
			"tamper": tamper,
			"code":   claimCode,
		},
		// [sqlite] is whether the server of the script has its database in a file.
		Condition: func(cond string) (bool, error) {
			if cond != "sqlite" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return !sqldbtest.OnPostgres(), nil
		},
		Setup: func(e *testscript.Env) error {
			e.Values["testing"] = e.T()
			e.Setenv("DATABASE", "") // a line of server.yaml
			if sqldbtest.OnPostgres() {
				dsn := parttest.Postgres(t)
				if err := os.WriteFile(filepath.Join(e.WorkDir, "postgres.dsn"), []byte(dsn), 0o600); err != nil {
					return err
				}
				e.Setenv("DATABASE", "database: { driver: postgres, dsn_file: postgres.dsn }\n")
				e.Values["dsn"] = dsn
			}
			for _, name := range []string{"WEB", "MQTT", "WITNESS", "PLAIN"} {
				e.Setenv(name, freePort(t))
			}
			return nil
		},
	})
}

// writeCard writes the enrolment card of a new gateway: card ID FILE.
func writeCard(ts *testscript.TestScript, _ bool, args []string) {
	_, vkey, err := note.GenerateKey(rand.Reader, args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(wire.NewCard(args[0], vkey, fmt.Sprint("secret of ", args[0])).String()), 0o600))
}

// claimCode finds the code in the last output of server gateway claim, and what its QR says: code VARIABLE VARIABLE.
func claimCode(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(`(?s)(aovuon-claim:\S+).*\ncode (\S+),`).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no code on stdout")
	}
	ts.Setenv(args[0], m[2])
	ts.Setenv(args[1], m[1])
}

// tamper changes rows behind the server's back: tamper FILE STATEMENT.
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	tb, ok := ts.Value("testing").(testing.TB)
	if !ok {
		ts.Fatalf("no testing.TB")
	}
	c := sqldb.Config{Driver: sqldb.SQLite, DSN: ts.MkAbs(args[0])}
	if dsn, ok := ts.Value("dsn").(string); ok {
		c = sqldb.Config{Driver: sqldb.Postgres, DSN: dsn}
	}
	sqldbtest.Tamper(tb, c, args[1])
}
