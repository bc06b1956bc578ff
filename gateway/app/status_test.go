package app

import (
	"os"
	"path/filepath"
	"testing"

	"aovuon/gateway/doctor"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/status"
)

func TestDoctor_NamesSensorsThatARunningGatewayNeverHeard(t *testing.T) {
	cfg := &Config{Sensors: []kind.Spec{{ID: "ao1-do"}, {ID: "ao2-do"}}}
	found := unheard(cfg, status.Snapshot{Channels: []status.Channel{{Sensor: "ao1-do"}}})
	if len(found) != 1 || found[0].Check != "probe ao2-do" || found[0].Level != doctor.Warn {
		t.Errorf("%+v", found)
	}
}

func TestEnsurePIN_BelongsToTheGatewayAlsoWhenRootMakesIt(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root makes files of others")
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 1234, -1); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "status.pin")
	pin, err := ensurePIN(path)
	if err != nil || len(pin) != 8 {
		t.Fatalf("%q, %v", pin, err)
	}
	if owner := doctor.Owner(path); owner != 1234 {
		t.Errorf("the PIN belongs to user %d", owner)
	}
	if again, err := ensurePIN(path); again != pin || err != nil {
		t.Errorf("another PIN: %q, %v", again, err)
	}
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ensurePIN(path); err == nil {
		t.Error("a PIN of one digit")
	}
}
