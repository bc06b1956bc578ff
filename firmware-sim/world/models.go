package world

// newModel is the table of models. w is the weather over the place, actions included.
func newModel(p Place, seed uint64, w sky) model {
	switch p.Kind {
	case Pond:
		return newPond(seed, p, w)
	case Plot:
		return newPlot(seed, p, w)
	case Room:
		return newRoom(seed, p, w)
	}
	return nil // cannot be: the place was checked
}
