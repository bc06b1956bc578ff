package web

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"

	"aovuon/server/account"
	"aovuon/server/setup"
)

// backupPath is the page that settles where backups go.
const backupPath = "/backup"

// Backups settles where the nightly backups go, and who can open them.
type Backups interface {
	// Place says where they go now.
	Place(ctx context.Context) (BackupPlace, error)
	// Try writes into a folder, which it makes, and reads back.
	Try(dir string) error
	// NewKey makes a pair of keys: the text to print and put away, and its public half.
	NewKey() (text, recipient string, err error)
	// Keep settles it; the server starts anew with it. recipient is a new public key; empty: those on record stay.
	Keep(dir, recipient string) error
}

// BackupPlace is where backups go.
type BackupPlace struct {
	Dir    string // empty: none are made
	Fixed  string // the file that says so, where the page cannot; empty: the page can
	Keys   int    // public keys on record
	Same   bool   // it is the disk of the data
	Disks  []setup.Disk
	Offers string // folder that is made on a disk
}

func (s *Server) backupRoutes() []route {
	if s.o.Backups == nil || s.o.Accounts == nil {
		return nil
	}
	g := needs(account.ManageAccounts)
	return []route{
		{"GET " + backupPath, g, s.page(s.backupPage)},
		{"POST " + backupPath, g, s.form(s.chooseBackup)},
		{"POST " + backupPath + "/keep", g, s.form(s.keepBackup)},
		{"POST " + backupPath + "/key.txt", g, s.backupKeyFile},
	}
}

type backupView struct {
	frame
	BackupPlace
	Card    backupCard
	Problem string
	Done    string // where they go from now on; "" unless that was just settled
	Choice  string
	Other   string
	Ask     bool // the chosen folder is on the disk of the data: is that meant?
	Rows    []diskRow
	Key     string // a new one, shown once
	Public  string
}

type diskRow struct {
	setup.Disk
	Dir, Room string
	Chosen    bool
}

func (s *Server) backupPage(r *http.Request, w *words) (answer, error) {
	return s.backupForm(r, w, backupView{})
}

func (s *Server) backupForm(r *http.Request, w *words, v backupView) (answer, error) {
	at, err := s.o.Backups.Place(r.Context())
	if err != nil {
		return answer{}, err
	}
	v.BackupPlace = at
	sys, err := s.o.System(r.Context())
	if err != nil {
		return answer{}, err
	}
	v.Card = backupLine(w, sys.Backup)
	for _, d := range at.Disks {
		row := diskRow{Disk: d, Dir: filepath.Join(d.Mount, at.Offers), Room: w.t("backupset.room", w.num(float64(d.Free)/(1<<30), 1), w.num(float64(d.Size)/(1<<30), 1))}
		row.Chosen = row.Dir == v.Choice || v.Choice == "" && row.Dir == at.Dir
		v.Rows = append(v.Rows, row)
	}
	a, err := s.draw(r, w, "backup.html", "system", w.t("backupset.title"), func(f frame) any {
		f.There = inLanguage(backupPath, map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		v.frame = f
		return v
	})
	if v.Problem != "" || v.Ask {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// chosen is the folder a form names.
func chosen(r *http.Request) string {
	if other := strings.TrimSpace(r.PostForm.Get("other")); other != "" {
		return other
	}
	return r.PostForm.Get("dir")
}

// chooseBackup tries the folder that is chosen, and goes on to the key that opens backups where there is none.
func (s *Server) chooseBackup(r *http.Request, w *words) (answer, error) {
	v := backupView{Choice: chosen(r), Other: strings.TrimSpace(r.PostForm.Get("other"))}
	at, err := s.o.Backups.Place(r.Context())
	if err != nil {
		return answer{}, err
	}
	if problem, ask, err := s.tryBackup(w, at, v.Choice, r.PostForm.Get("same") == "yes"); problem != "" || ask || err != nil {
		v.Problem, v.Ask = problem, ask
		if err != nil {
			return answer{}, err
		}
		return s.backupForm(r, w, v)
	}
	if at.Keys > 0 && r.PostForm.Get("newkey") != "yes" {
		return s.settleBackup(r, w, v.Choice, "")
	}
	if v.Key, v.Public, err = s.o.Backups.NewKey(); err != nil {
		return answer{}, err
	}
	return s.backupForm(r, w, v)
}

func (s *Server) tryBackup(w *words, at BackupPlace, dir string, same bool) (problem string, ask bool, err error) {
	switch {
	case at.Fixed != "":
		return w.t("backupset.fixed", at.Fixed), false, nil
	case !filepath.IsAbs(dir) || len(dir) > 400 || strings.ContainsAny(dir, "\n\r\x00"):
		return w.t("backupset.wrong.dir"), false, nil
	}
	if err := s.o.Backups.Try(dir); err != nil {
		return w.t("backupset.wrong.write", dir, err.Error()), false, nil
	}
	return "", !same && s.o.SameDisk != nil && s.o.SameDisk(dir), nil
}

// keepBackup settles the folder and the key, once somebody has said that the key is put away: backups of a key that nobody has open for nobody.
func (s *Server) keepBackup(r *http.Request, w *words) (answer, error) {
	v := backupView{Choice: r.PostForm.Get("dir"), Key: r.PostForm.Get("key"), Public: r.PostForm.Get("public")}
	secret := secretLine(v.Key)
	at, err := s.o.Backups.Place(r.Context())
	if err != nil {
		return answer{}, err
	}
	typed := strings.ToUpper(strings.Join(strings.Fields(r.PostForm.Get("last")), ""))
	switch {
	case secret == "" || !strings.HasPrefix(v.Public, "age1"):
		return answer{to: inLanguage(backupPath, w.lang)}, nil
	case len(secret) < lastOfKey || typed != secret[len(secret)-lastOfKey:]:
		v.Problem = w.t("backupset.wrong.last")
		return s.backupForm(r, w, v)
	}
	if problem, _, err := s.tryBackup(w, at, v.Choice, true); problem != "" || err != nil {
		v.Problem = problem
		if err != nil {
			return answer{}, err
		}
		return s.backupForm(r, w, v)
	}
	return s.settleBackup(r, w, v.Choice, v.Public)
}

// settleBackup settles it. What is said of that is drawn before: the server starts anew, and a page that is asked for meanwhile is not answered.
func (s *Server) settleBackup(r *http.Request, w *words, dir, recipient string) (answer, error) {
	a, err := s.backupForm(r, w, backupView{Done: dir})
	if err != nil {
		return answer{}, err
	}
	return a, s.o.Backups.Keep(dir, recipient)
}

// lastOfKey is how many characters of a new key are typed again.
const lastOfKey = 6

// secretLine is the line of a key's text that opens backups.
func secretLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "AGE-SECRET-KEY-") {
			return line
		}
	}
	return ""
}

// backupKeyFile gives a key that was just shown back as a file: it is kept nowhere, so the page brings it along.
func (s *Server) backupKeyFile(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	if err == nil && secretLine(r.PostForm.Get("key")) == "" {
		err = errors.New("no key")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	attach(w, "aovuon-backup-key.txt")
	s.write(w, []byte(strings.ReplaceAll(r.PostForm.Get("key"), "\r\n", "\n")))
}
