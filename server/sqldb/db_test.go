package sqldb_test

import (
	"testing"

	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func TestOpen_TwiceKeepsWhatIsThere(t *testing.T) {
	sqldbtest.EachConfig(t, func(t *testing.T, c sqldb.Config) {
		sqldbtest.Open(t, c)
		sqldbtest.Open(t, c)
	})
}
