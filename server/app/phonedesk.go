package app

import (
	"slices"
	"sync"
	"time"

	"aovuon/server/setup"
)

// phoneDesk keeps the co-op's telephone number, in the settings of the setup page. It implements web.Phone.
type phoneDesk struct {
	c      Config
	config string // its file
	now    func() time.Time

	mu     sync.Mutex
	number string
}

func newPhoneDesk(c Config, config string, now func() time.Time) *phoneDesk {
	return &phoneDesk{c: c, config: config, now: now, number: c.Phone}
}

// Number implements web.Phone.
func (p *phoneDesk) Number() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.number
}

// Fixed implements web.Phone.
func (p *phoneDesk) Fixed() string {
	raw, err := readConfig(p.config)
	if err == nil && p.c.Setup && !slices.Contains(firstKeys(raw), "phone") {
		return ""
	}
	return p.config
}

// Keep implements web.Phone. The number counts at once, and for a setup that is done again.
func (p *phoneDesk) Keep(number string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, _, err := setup.ReadSettings(p.c.DataDir)
	if err != nil {
		return err
	}
	s.Phone = number
	if _, err := loadConfig(p.config, &s); err != nil {
		return err
	}
	store := setup.NewStore(p.c.DataDir, p.now)
	if _, found, err := store.Read(); err != nil {
		return err
	} else if found {
		if err := store.Change(func(st *setup.State) error { st.Draft.Phone = number; return nil }); err != nil {
			return err
		}
	}
	if err := s.Write(p.c.DataDir); err != nil {
		return err
	}
	p.number = number
	return nil
}
