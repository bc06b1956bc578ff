package label

// Series lays out labels of one print: they look alike, as far as their texts allow. A label is laid out like the one before it where it fits
// so, and all of it stands there; else the way of Lay is looked for anew, and the next ones follow it. It is for one goroutine at a time.
type Series struct {
	p     *Press
	size  Size
	dpi   int
	perMM float64
	last  *arranged
}

// arranged is one arrangement that worked, for labels with so many lines and so large a code.
type arranged struct {
	lines, code int
	em          float64
	dots        int
	above       bool
}

// Series begins a print of labels of a size. It begins with the one that needs most room, so that the others can follow it; that one's faults are
// told when its turn comes.
func (p *Press) Series(size Size, dpi int, labels []Content) (*Series, error) {
	perMM, err := dotsPerMM(dpi)
	if err != nil {
		return nil, err
	}
	if err := size.check(); err != nil {
		return nil, err
	}
	s := &Series{p: p, size: size, dpi: dpi, perMM: perMM}
	if len(labels) < 2 {
		return s, nil
	}
	widest, most := 0, 0.0
	for i, c := range labels {
		if w := p.widths(c); w > most {
			widest, most = i, w
		}
	}
	if r, err := p.ready(labels[widest]); err == nil {
		if l, ok := p.lay(r, size, perMM); ok {
			s.follow(l, r)
		}
	}
	return s, nil
}

// widths adds up how wide the texts of a label are.
func (p *Press) widths(c Content) float64 {
	sum := p.bold.Width(c.Name)
	for _, l := range c.Lines {
		sum += p.face(l.Bold).Width(l.Text)
	}
	return sum
}

// follow keeps how a label was laid out for the next ones, unless something of it was left out.
func (s *Series) follow(l Layout, r ready) {
	s.last = nil
	if l.Cut || l.Left > 0 {
		return
	}
	w := l.how
	w.lines, w.code = len(r.line), r.code.Size()
	s.last = &w
}

// Lay lays the next label out; see Press.Lay.
func (s *Series) Lay(c Content) (Layout, error) {
	r, err := s.p.ready(c)
	if err != nil {
		return Layout{}, err
	}
	if w := s.last; w != nil && w.lines == len(r.line) && w.code == r.code.Size() {
		l := Layout{Size: s.size, Code: r.code, Module: float64(w.dots) / s.perMM}
		if s.p.fill(&l, r.name, r.line, w.em, w.above, false) {
			l.how = *w
			return l, nil
		}
	}
	l, ok := s.p.lay(r, s.size, s.perMM)
	if !ok {
		return Layout{}, s.p.tooSmall(r, s.size, s.dpi, s.perMM)
	}
	s.follow(l, r)
	return l, nil
}
