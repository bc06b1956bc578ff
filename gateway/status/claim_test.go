package status_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/skip2/go-qrcode"

	"aovuon/gateway/qrphoto"
	"aovuon/gateway/status"
	"aovuon/server/parttest"
)

const claimText = "aovuon-claim:0123456789ABCDEF.AAAAAAAAAAAAAAAAAAAAAA@https://htx.example"

// newcomer is a gateway that is not enrolled; it remembers the claims it was given, and takes claimText.
type newcomer struct{ claims []string }

func (n *newcomer) serve(t *testing.T) *httptest.Server {
	t.Helper()
	page, err := status.NewClaim(status.ClaimOptions{
		Gateway: "gw-ao-phukhe", Version: "v1.2.3", PIN: pin, Hosts: []string{"aovuon"}, Now: newMade().options().Now, Log: slog.New(slog.DiscardHandler),
		Enrol: func(_ context.Context, claim, _ string) (string, error) {
			n.claims = append(n.claims, claim)
			if claim != claimText {
				return "", errors.Join(status.ErrBadClaim, errors.New("want 16 of 0-9"))
			}
			return "https://htx.example", nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(page)
	t.Cleanup(srv.Close)
	return srv
}

// hand sends the form: fields in their order, the last of them a file.
func (v *visitor) hand(photo []byte, fields ...[2]string) (reply, string) {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range fields {
		if err := form.WriteField(f[0], f[1]); err != nil {
			v.t.Fatal(err)
		}
	}
	if photo != nil {
		part, err := form.CreateFormFile("photo", "IMG_0001.JPG")
		if err != nil {
			v.t.Fatal(err)
		}
		if _, err := part.Write(photo); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		v.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, v.url+"/", &body)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	return v.do(req)
}

func TestClaim_AWrongPINReachesNeitherPhotoNorServer(t *testing.T) {
	n := &newcomer{}
	v := visit(t, n.serve(t))
	for try := range 6 {
		res, page := v.hand([]byte("no photo at all"), [2]string{"pin", "12345678"}, [2]string{"claim", "ABCD-EFGH"})
		want, says := http.StatusForbidden, "PIN không đúng"
		if try == 5 {
			want, says = http.StatusTooManyRequests, "chờ 10 phút"
		}
		if res.StatusCode != want || !strings.Contains(page, says) || !strings.Contains(page, "ABCD-EFGH") {
			t.Errorf("try %d: %s: %s", try, res.Status, page)
		}
	}
	// Nor does the right one now, and none at all never did.
	if res, _ := v.hand(nil, [2]string{"pin", pin}, [2]string{"claim", claimText}); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the right PIN after five wrong ones: %s", res.Status)
	}
	if res, _ := visit(t, n.serve(t)).hand(nil, [2]string{"claim", claimText}); res.StatusCode != http.StatusForbidden || len(n.claims) != 0 {
		t.Errorf("without a PIN: %s, tried %q", res.Status, n.claims)
	}
}

func TestClaim_SaysWhatIsWrongWithAPhoto(t *testing.T) {
	n := &newcomer{}
	v := visit(t, n.serve(t))
	if res, page := v.hand(nil, [2]string{"pin", pin}); res.StatusCode != http.StatusUnprocessableEntity || strings.Contains(page, `name="pin"`) {
		t.Errorf("the PIN is asked again: %s", res.Status)
	}
	blank, err := os.ReadFile(filepath.Join("screens", "home-phone.png"))
	if err != nil {
		t.Fatal(err)
	}
	for says, photo := range map[string][]byte{
		"Không mở được ảnh": []byte("HEIC, say"),
		"Không thấy mã QR":  blank,
		"Ảnh quá lớn":       make([]byte, qrphoto.MostBytes+1),
	} {
		if res, page := v.hand(photo, [2]string{"server", "https://kept.example"}); res.StatusCode/100 != 4 || !strings.Contains(page, says) || !strings.Contains(page, "https://kept.example") {
			t.Errorf("%s: %s: %s", says, res.Status, page)
		}
	}
	if res, _ := v.do(must(http.NewRequest(http.MethodPost, v.url+"/", io.NopCloser(strings.NewReader("claim=x"))))(t)); res.StatusCode != http.StatusBadRequest {
		t.Errorf("no form: %s", res.Status)
	}
	code, err := qrcode.Encode(claimText, qrcode.Medium, 300)
	if err != nil {
		t.Fatal(err)
	}
	if res, page := v.hand(code, [2]string{"claim", "typed before"}); res.StatusCode != http.StatusOK || !strings.Contains(page, "Đã ghi danh") {
		t.Errorf("%s: %s", res.Status, page)
	}
	if _, page := visit(t, n.serve(t)).get("/?claim=%22%3E%3Cscript%3E"); strings.Contains(page, "<script>") {
		t.Error("a link writes into the page")
	}
}

func must(req *http.Request, err error) func(*testing.T) *http.Request {
	return func(t *testing.T) *http.Request {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return req
	}
}

func TestClaim_FromAnotherPageOrByAnotherNameIsRefused(t *testing.T) {
	n := &newcomer{}
	v := visit(t, n.serve(t))
	for header, value := range map[string]string{"Origin": "https://evil.example", "Host": "rebound.evil.example"} {
		req := must(http.NewRequest(http.MethodPost, v.url+"/", http.NoBody))(t)
		if req.Header.Set(header, value); header == "Host" {
			req.Host = value
		}
		if res, _ := v.do(req); res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: %s: %s", header, value, res.Status)
		}
	}
}

// What an enrolment failed by has words of its own, in both languages; what the program says of it stands small below.
func TestClaim_HasWordsForEveryFailure(t *testing.T) {
	var failure error
	page, err := status.NewClaim(status.ClaimOptions{
		Gateway: "gw-ao-phukhe", Version: "v1.2.3", PIN: pin, Hosts: []string{"aovuon"}, Now: newMade().options().Now, Log: slog.New(slog.DiscardHandler),
		Enrol: func(context.Context, string, string) (string, error) { return "", failure },
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(page)
	t.Cleanup(srv.Close)
	v := visit(t, srv)
	for says, known := range map[string]error{
		"không phải là mã ghi danh": status.ErrBadClaim, "Cần địa chỉ máy chủ": status.ErrNoServer, "Trạm chưa có mạng": status.ErrNoNetwork, "Chưa tới được máy chủ": status.ErrUnreachable,
		"đang bận": status.ErrBusy, "không phải máy chủ nhận ghi danh": status.ErrElsewhere, "đã dùng, đã hết hạn": status.ErrRefused, "không phải là máy chủ đã cấp mã": status.ErrImpostor,
		"Chưa ghi danh được": errors.New("of a kind nobody thought of"),
	} {
		failure = fmt.Errorf("%w: dial tcp: <x>", known)
		res, page := v.hand(nil, [2]string{"pin", pin}, [2]string{"claim", claimText})
		below := `<small class="why">Kỹ thuật viên đọc: <span lang="en">` + html.EscapeString(known.Error()) + ": dial tcp: &lt;x&gt;</span></small>"
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, says) || !strings.Contains(page, below) {
			t.Errorf("%v: %s: %s", known, res.Status, page)
		}
	}
}

// A phone of 360 pixels, in the sun and in the dark, without a script: a person fills it in, axe finds nothing.
func TestBrowser_AClaimIsHandedOverWithoutAScript(t *testing.T) {
	axe := parttest.Axe(t)
	n := &newcomer{}
	srv := n.serve(t)
	ctx := parttest.Browser(t)
	look := func(what string) {
		for _, shade := range []string{"light", "dark"} {
			do(t, ctx, phone(), scheme(shade))
			if over := ask(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - 360`)); over > 0 {
				t.Errorf("%s: %d pixels are beyond the screen", what, over)
			}
			if complaints := axe(ctx); complaints != "" {
				t.Errorf("%s, %s: %s", what, shade, complaints)
			}
			if dir := os.Getenv("AOVUON_SCREENSHOTS"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, "claim-"+what+"-"+shade+".png"), ask(t, ctx, chromedp.CaptureScreenshot()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	field := func(name, text string) step { return chromedp.SendKeys(chromedp.CSS(`input[name="`+name+`"]`), text) }
	send := chromedp.Click(chromedp.CSS(`form[enctype] button`))
	do(t, ctx, phone(), chromedp.Navigate(srv.URL+"/?lang=en"), chromedp.WaitVisible(chromedp.CSS("form")))
	look("form-en")
	do(t, ctx, chromedp.Navigate(srv.URL+"/?lang=vi"), chromedp.WaitVisible(chromedp.CSS("form")))
	look("form")
	do(t, ctx, field("pin", pin), field("claim", "0123-4567"), send, chromedp.WaitVisible(chromedp.CSS(`[role="alert"]`)))
	look("wrong")
	do(t, ctx, chromedp.Navigate(srv.URL+"/?claim="+claimText), chromedp.WaitVisible(chromedp.CSS("form")), send, chromedp.WaitVisible(chromedp.CSS(`[role="status"]`)))
	look("done")
	if len(n.claims) != 2 || n.claims[1] != claimText {
		t.Errorf("%q", n.claims)
	}
}
