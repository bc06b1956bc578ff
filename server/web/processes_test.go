package web_test

import (
	"strings"
	"testing"
)

// The page says who leads what, who is missing and who cannot record; what it has no word for it calls by its name.
func TestSystem_NamesTheProcesses(t *testing.T) {
	body := string(get(t, newSources(t).pages(t), "/system", nil).body)
	for _, want := range []string{
		"may-1 10.0.0.11:8080", "máy đang trả lời trang này", "xét báo động, kho chuỗi số liệu, ký sổ cái, lô hàng, nhắn tin báo động", "Không ghi được", "<code>the disk is full</code>", "chờ sẵn",
		"Mất liên lạc", "<dt>Nghe lần cuối</dt><dd>4 phút trước</dd>", "nhận số liệu, weigh",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(body, "cài đặt của trạm") {
		t.Error("what a silent process led is not known any more")
	}
}

func TestSystem_OneProcessIsNotCounted(t *testing.T) {
	s := newSources(t)
	s.system.Processes = nil
	if body := string(get(t, s.pages(t), "/system", nil).body); strings.Contains(body, "Các máy chủ cùng chạy") {
		t.Error("a section of processes where there is one")
	}
}
