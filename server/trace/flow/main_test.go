package flow_test

import (
	"testing"

	"go.uber.org/goleak"

	"aovuon/server/parttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(parttest.Sharing(m)) }
