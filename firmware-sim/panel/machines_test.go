package panel_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aovuon/firmware-sim/child"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/host"
)

// hosting gives a made field a gateway, its link and a program, none of which runs.
func hosting(t *testing.T) *made {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "gateway.yaml")
	if err := os.WriteFile(config, []byte("gateway: gw-ao\ndata_dir: data\nserver: { url: \"tcp://127.0.0.1:1\" }\nbuses: { ao: { i2c: \"unix:ao.sock\" } }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMade(t)
	c, err := field.Parse("field.yaml", fmt.Appendf(nil, `%s
gateways:
  - { id: gw-ao, config: %q, program: %q, start: false, link: { listen: "127.0.0.1:0", to: "127.0.0.1:1" } }
programs:
  - { id: may-chu, run: [%q], broker: true }
`, everything, config, truePath(t), truePath(t)), dir)
	if err != nil {
		t.Fatal(err)
	}
	household := child.NewHousehold(child.NewScreen(io.Discard), "gw-ao")
	t.Cleanup(household.Close)
	h, err := host.New(t.Context(), c, m.field, host.Options{Household: household, Gateway: truePath(t), Now: m.now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// truePath is a program that does nothing.
func truePath(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/bin/true", "/usr/bin/true"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("no program true")
	return ""
}

func TestMachines_ShowWhatTheFieldHosts(t *testing.T) {
	m := hosting(t)
	v := visit(t, m)
	_, page := v.get("/machines")
	says(t, page, "Trạm đo", "gw-ao", "Đã dừng", "Cắt điện cả hộp", "Đường truyền của trạm", "Làm rớt gói", "may-chu", "Broker của các trạm", "Thẻ nhớ đầy", "Đồng hồ chạy sai")
	for _, lang := range []string{"vi", "en"} {
		_, page := v.get("/machines?lang=" + lang)
		for _, bad := range []string{`class="title" lang="en"`, ">do.", ">ask.", "<summary lang"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: %s", lang, regexp.MustCompile(regexp.QuoteMeta(bad)+".{0,80}").FindString(page))
			}
		}
		if label := regexp.MustCompile(`<label [^>]*>[A-Z|]+</label>`).FindString(page); label != "" {
			t.Errorf("%s: %s", lang, label)
		}
	}
	v.get("/machines?lang=vi")
	for _, tc := range []struct {
		form url.Values
		line string
		says string
	}{
		{url.Values{"usage": {"link ID slow RTT [KBPS]"}, "ID": {"gw-ao"}, "RTT": {"800"}, "KBPS": {"64"}}, "link gw-ao slow 800ms 64", "Chậm 800ms 64"},
		{url.Values{"usage": {"link ID lossy PERCENT"}, "ID": {"gw-ao"}, "PERCENT": {"12,5"}}, "link gw-ao lossy 12.5", "Rớt gói (%) 12.5"},
		{url.Values{"usage": {"link ID up"}, "ID": {"gw-ao"}}, "link gw-ao up", "tốt lại"},
		{url.Values{"usage": {"gateway ID clock OFFSET"}, "ID": {"gw-ao"}, "OFFSET": {"-3"}}, "gateway gw-ao clock -3h", "Đồng hồ của gw-ao"},
		{url.Values{"usage": {"gateway ID power-cut [FOR]"}, "ID": {"gw-ao"}, "FOR": {""}}, "gateway gw-ao power-cut", "Mất điện"},
	} {
		tc.form.Set("back", "/machines")
		status, page := v.post(tc.form)
		if status != http.StatusOK {
			t.Errorf("%v: %d: %s", tc.form, status, regexp.MustCompile(`(?s)role="alert".*?</div>`).FindString(page))
		}
		says(t, page, tc.says, "Lần cuối: ")
		if last := m.said.Newest(1); len(last) != 1 || last[0].Line != tc.line {
			t.Errorf("%+v, want %s", last, tc.line)
		}
	}
}
