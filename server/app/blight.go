package app

import (
	"context"

	"aovuon/server/diary/assess"
	"aovuon/server/watch/blight"
)

// blightDesk is what the page of late blight asks: the watch over the plots, and the gates of harvests.
type blightDesk struct {
	*blight.Watch
	gates *assess.Assessor
}

// Chooser implements web.Blight.
func (b blightDesk) Chooser(ctx context.Context) (blight.Chooser, error) {
	c, err := b.gates.Case(ctx, "")
	if err != nil {
		return blight.Chooser{}, err
	}
	return blight.NewChooser(c), nil
}
