package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aovuon/gateway/doctor"
	"aovuon/gateway/measure"
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

func TestDoctor_SaysWhatToDoAboutAProbeAndWhatFollowsFromIt(t *testing.T) {
	cfg := &Config{Sensors: []kind.Spec{{ID: "ao1-do", Address: 0x61}, {ID: "ao1-ph"}}}
	found := judge(cfg, []answer{
		{Reading: measure.Reading{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Quality: measure.Fault, Reason: measure.NoResponse}},
		{Reading: measure.Reading{Sensor: "ao1-bao-hoa", Quantity: measure.OxygenSaturation, Quality: measure.Fault, Reason: measure.NoResponse}},
		{Reading: measure.Reading{Sensor: "ao1-ph", Quantity: measure.PH, Value: 7, Quality: measure.Uncalibrated}},
		{Reading: measure.Reading{Sensor: "ao1-nh3", Quantity: measure.UnionisedAmmonia, Quality: measure.Uncalibrated}},
		{Reading: measure.Reading{Sensor: "ao1-thieu-oxy", Quantity: measure.AlarmState, Value: 1}},
	})
	for i, want := range []string{"(0x61)", "follows from other channels", "gateway calibrate ao1-ph", "follows from other channels", "gateway aerator"} {
		if found[i].Level == doctor.OK || !strings.Contains(found[i].Mend, want) {
			t.Errorf("%s: %s; want %s", found[i].Check, found[i].Mend, want)
		}
	}
}

// What another user may not read must not be told to be made anew: that would be another gateway.
func TestSecrets_OfAnotherUserAreNotToBeMadeAnew(t *testing.T) {
	cfg := &Config{path: "gateway.yaml"}
	denied := &fs.PathError{Op: "open", Path: "gateway.key", Err: syscall.EACCES}
	if mend := cfg.mendSecret(denied, mendKey); !strings.Contains(mend, "as root") || strings.Contains(mend, "init") {
		t.Error(mend)
	}
	if mend := cfg.mendSecret(fs.ErrNotExist, mendKey); !strings.Contains(mend, "gateway init --config gateway.yaml") {
		t.Error(mend)
	}
	if mend := cfg.mendSecret(errors.New("holds no key"), mendKey); mend != mendKey {
		t.Error(mend)
	}
	if err := orAsRoot(denied); !errors.Is(err, fs.ErrPermission) || strings.Count(orAsRoot(err).Error(), "as root") != 1 {
		t.Error(err)
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
