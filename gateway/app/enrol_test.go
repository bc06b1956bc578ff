package app

import "testing"

func TestWithServer_LeavesEveryOtherLine(t *testing.T) {
	const block = "server: # written\n  url: new\n"
	for name, tc := range map[string]struct{ file, want string }{
		"none":        {"gateway: gw-ao\n# the end", "gateway: gw-ao\n# the end\n" + block},
		"in the file": {"gateway: gw-ao\nserver: { url: old }\nsensors: []\n", "gateway: gw-ao\n" + block + "sensors: []\n"},
		"a comment and an empty line before the next key": {
			"server:\n  url: old\n# of the server\n  key_file: old\n\n# The clock of the machine.\nclock: {}\n", block + "\n# The clock of the machine.\nclock: {}\n",
		},
		"a comment at the end":       {"gateway: gw-ao\nserver:\n  url: old\n\n# sensors: []\n", "gateway: gw-ao\n" + block + "\n# sensors: []\n"},
		"a list without indentation": {"server:\n\turl: old\nsensors:\n- { id: a }\n", block + "sensors:\n- { id: a }\n"},
	} {
		if got := string(withServer([]byte(tc.file), block)); got != tc.want {
			t.Errorf("%s: %q; want %q", name, got, tc.want)
		}
	}
}
