package install_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"aovuon/server/parttest"
)

// Two releases of this commit: what changes between them is the number.
const (
	older = "1.0"
	newer = "1.1+next"
)

// place is how the programs say where something is wrong.
var place = regexp.MustCompile(`(\.yaml:|line |\[)\d+`)

// Where the pages of both programs are in a machine.
const (
	serverPage  = "https://127.0.0.1"
	gatewayPage = "http://127.0.0.1:8081"
)

// What lies in a machine that must outlive every package.
var kept = []string{
	"etc/aovuon/gateway.yaml", "etc/aovuon-server/server.yaml", "var/lib/aovuon-server/server.key", "var/lib/aovuon-server/ledger.key",
}

func TestPackages_InstallUpgradeDowngradeRemovePurge(t *testing.T) {
	m := newMachine(t)
	oldGateway, oldServer := packages(t, older)
	newGateway, newServer := packages(t, newer)

	said := m.apt(oldGateway, oldServer)
	m.setUp(find(t, said, `http://\S+/setup/[\w-]+`))
	m.runs("aovuon-gateway", "aovuon-server")
	pin := strings.TrimSpace(m.run("gateway", "pin", "--config", "/etc/aovuon/gateway.yaml"))
	wantSaid(t, said, "PIN of this box, to be written inside its lid: "+pin, "aovuon-server: next:")
	m.belongs("aovuon", "/var/lib/aovuon")
	m.belongs("aovuon-server", "/var/lib/aovuon-server")

	// People write into their configuration; the packages never do again.
	for _, file := range kept[:2] {
		m.write(file, m.read(file)+"# ghi chú của kỹ thuật viên\n")
	}
	before := m.state()
	told := m.run("aovuon-server", "key", "--config", "/etc/aovuon-server/server.yaml")

	said = m.apt(newGateway, newServer)
	m.runs("aovuon-gateway", "aovuon-server")
	m.same(before, "an upgrade")
	m.versions(newer)
	if strings.Contains(said, pin) {
		t.Errorf("an upgrade prints the PIN:\n%s", said)
	}
	if got := m.run("aovuon-server", "key", "--config", "/etc/aovuon-server/server.yaml"); got != told {
		t.Errorf("after an upgrade the server's key is %s, was %s", got, told)
	}

	if said, ok := m.try("apt-get", "install", "-y", "-qq", "/srv/"+filepath.Base(oldServer)); ok {
		t.Errorf("apt goes back to an older server without a word:\n%s", said)
	} else {
		wantSaid(t, said, "downgrade")
	}
	m.versions(newer)
	wantSaid(t, m.apt(oldGateway, oldServer), "downgrading aovuon-server", "downgrading aovuon-gateway")
	m.runs("aovuon-gateway", "aovuon-server")
	m.same(before, "going back")
	m.versions(older)

	m.mistakes(newGateway, newServer)
	m.same(before, "mistakes that were mended")

	m.run("apt-get", "remove", "-y", "-qq", "aovuon-gateway", "aovuon-server")
	for _, unit := range []string{"aovuon-gateway", "aovuon-server"} {
		if state, ok := m.try("systemctl", "is-active", unit); ok {
			t.Errorf("%s is %s after it was removed", unit, state)
		}
	}
	m.same(before, "removing")
	said = m.run("apt-get", "purge", "-y", "-qq", "aovuon-gateway", "aovuon-server")
	wantSaid(t, said, "left in place: /etc/aovuon and /var/lib/aovuon", "left in place: /etc/aovuon-server and /var/lib/aovuon-server")
	m.same(before, "purging")

	m.apt(newGateway, newServer)
	m.runs("aovuon-gateway", "aovuon-server")
	m.same(before, "installing again")
	if got := strings.TrimSpace(m.run("gateway", "pin", "--config", "/etc/aovuon/gateway.yaml")); got != pin {
		t.Errorf("installed again the PIN is %s, was %s: the sticker in the lid is wrong", got, pin)
	}
}

// mistakes makes one in each configuration: a package can be installed all the same, what is wrong is said with its line, and once it is mended everything runs.
func (m *machine) mistakes(debs ...string) {
	m.t.Helper()
	whole := map[string]string{}
	for _, file := range kept[:2] {
		whole[file] = m.read(file)
		m.write(file, whole[file]+"ao_ca: 3\n")
	}
	wantSaid(m.t, m.apt(debs...), "aovuon-gateway: it does not start", "aovuon-server: it does not start")
	for unit, check := range map[string][]string{
		"aovuon-gateway": {"gateway", "check", "-c", "/etc/aovuon/gateway.yaml"},
		"aovuon-server":  {"journalctl", "--no-pager", "-o", "cat", "-n", "20", "-u", "aovuon-server"},
	} {
		said, _ := m.try(check...)
		wantSaid(m.t, said, "ao_ca")
		if !place.MatchString(said) {
			m.t.Errorf("%s: it is not said in which line the mistake is:\n%s", unit, said)
		}
		if state, _ := m.try("systemctl", "is-active", unit); strings.TrimSpace(state) == "active" {
			m.t.Errorf("%s runs with a configuration that is wrong", unit)
		}
	}
	for file, text := range whole {
		m.write(file, text)
	}
	m.runs("aovuon-gateway", "aovuon-server") // by themselves: systemd tries again every two seconds
}

// runs waits until units run and their pages answer.
func (m *machine) runs(units ...string) {
	m.t.Helper()
	for _, unit := range units {
		parttest.Await(m.t, unit+" runs", func() bool {
			state, _ := m.try("systemctl", "is-active", unit)
			return strings.TrimSpace(state) == "active"
		})
		page := map[string]string{"aovuon-gateway": gatewayPage + "/", "aovuon-server": serverPage + "/healthz"}[unit]
		parttest.Await(m.t, page+" answers", func() bool {
			status, _, err := m.ask(page)
			return err == nil && status == http.StatusOK
		})
	}
}

// state is what lies in the files that must stay.
func (m *machine) state() map[string]string {
	m.t.Helper()
	state := map[string]string{}
	for _, file := range kept {
		state[file] = m.read(file) + m.run("stat", "-c", "%U:%G %a", "/"+file)
	}
	return state
}

func (m *machine) same(before map[string]string, after string) {
	m.t.Helper()
	for file, now := range m.state() {
		if now != before[file] {
			m.t.Errorf("after %s /%s is another:\n%s\nwas\n%s", after, file, now, before[file])
		}
	}
}

func (m *machine) versions(want string) {
	m.t.Helper()
	for _, name := range []string{"aovuon-gateway", "aovuon-server"} {
		if got := m.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", name); got != want+" installed" {
			m.t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for _, program := range []string{"gateway", "aovuon-server"} {
		if got := m.run(program, "version"); !strings.HasPrefix(got, want+" ") {
			m.t.Errorf("%s version: %s, want %s", program, got, want)
		}
	}
}

// belongs checks that a program's data is its own user's, and nobody else's to read.
func (m *machine) belongs(user, dir string) {
	m.t.Helper()
	if got := m.run("stat", "-c", "%U:%G %a", dir); got != user+":"+user+" 700\n" {
		m.t.Errorf("%s is %swant %s's alone", dir, got, user)
	}
	if others := m.run("find", dir, "!", "-user", user); others != "" {
		m.t.Errorf("not %s's: %s", user, others)
	}
}

func wantSaid(t testing.TB, said string, want ...string) {
	t.Helper()
	for _, words := range want {
		if !strings.Contains(said, words) {
			t.Errorf("it is not said: %q\n%s", words, said)
		}
	}
}

// packages makes the packages of a version for this machine, once; the programs are built as the tests are, so that little is built anew.
func packages(t testing.TB, version string) (gateway, server string) {
	t.Helper()
	arch := strings.TrimSpace(output(t, "dpkg", "--print-architecture"))
	made.Lock()
	defer made.Unlock()
	dir := made.dirs[version]
	if dir == "" {
		dir = filepath.Join(made.root, version)
		output(t, "env", "CGO_ENABLED=0", "DIST="+dir, "DIST_VERSION="+version, "DIST_ARCHS="+arch, "DIST_BUILD=", "../../.ci/dist")
		made.dirs[version] = dir
	}
	return filepath.Join(dir, "aovuon-gateway_"+version+"_"+arch+".deb"), filepath.Join(dir, "aovuon-server_"+version+"_"+arch+".deb")
}

var made = struct {
	sync.Mutex
	root string
	dirs map[string]string
}{dirs: map[string]string{}}

func TestMain(m *testing.M) {
	go elsewhere.start()
	var err error
	if made.root, err = os.MkdirTemp("", "aovuon-install-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(made.root); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// apt installs packages, and returns what the person sees.
func (m *machine) apt(debs ...string) string {
	m.t.Helper()
	command := []string{"apt-get", "install", "-y", "-qq", "--no-install-recommends", "--allow-downgrades", "--reinstall"}
	for _, deb := range debs {
		m.put(deb, "srv/"+filepath.Base(deb))
		command = append(command, "/srv/"+filepath.Base(deb))
	}
	return m.run(command...)
}
