package confine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aovuon/server/parttest/confine"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each directive is held against a call that breaks it.
func TestCheck_FindsWhatTheUnitRefuses(t *testing.T) {
	u := confine.Read(t, file(t, "x.service", `[Service]
ExecStart=/usr/bin/x
SystemCallFilter=@basic-io openat socket mmap clone sched_setscheduler mkdirat renameat
SystemCallFilter=~sched_setscheduler
SystemCallFilter=sched_setscheduler
RestrictAddressFamilies=AF_INET
RestrictAddressFamilies=AF_UNIX
MemoryDenyWriteExecute=yes
RestrictNamespaces=yes
RestrictRealtime=yes
ProtectSystem=strict
`))
	for line, want := range map[string]string{
		`12 read(3, "x", 1) = 1`:          "",
		`12 reboot(1) = -1 EPERM`:         "SystemCallFilter refuses reboot",
		`12 socket(AF_INET, 1, 0) = 3`:    "",
		`12 socket(AF_UNIX, 1, 0) = 3`:    "",
		`12 socket(AF_NETLINK, 1, 0) = 3`: "RestrictAddressFamilies",
		`12 mmap(NULL, 1, PROT_READ|PROT_WRITE|PROT_EXEC, MAP_PRIVATE, -1, 0) = 0x1`:   "MemoryDenyWriteExecute",
		`12 clone(child_stack=NULL, flags=CLONE_NEWNET|SIGCHLD) = 13`:                  "RestrictNamespaces",
		`12 sched_setscheduler(0, SCHED_FIFO, [1]) = 0`:                                "RestrictRealtime",
		`12 openat(AT_FDCWD, "/etc/x", O_RDONLY|O_CLOEXEC) = 3`:                        "",
		`12 openat(AT_FDCWD, "/etc/x", O_RDWR|O_CLOEXEC) = 3`:                          "ProtectSystem",
		`12 openat(AT_FDCWD, "/var/lib/x/y", O_RDWR|O_CREAT, 0600) = 3`:                "",
		`12 mkdirat(AT_FDCWD, "/srv/x", 0700) = 0`:                                     "ProtectSystem",
		`12 renameat(AT_FDCWD, "/var/lib/x/y", AT_FDCWD, "/etc/passwd") = 0`:           "ProtectSystem",
		`12 renameat(AT_FDCWD, "/var/lib/x/y.new", AT_FDCWD, "/var/lib/x/y") = 0`:      "",
		`12 openat(AT_FDCWD, "/dev/i2c-1", O_RDWR|O_CLOEXEC) = -1 ENOENT (No such...)`: "",
	} {
		got := u.Check(confine.ReadTrace(t, file(t, "trace", line+"\n")), confine.Rules{Writes: []string{"/var/lib/x"}})
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], want)) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
