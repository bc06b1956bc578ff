package label

import (
	"fmt"
	"math"

	"github.com/skip2/go-qrcode"
)

// What a printed code must keep to.
const (
	// MinModule and MaxModule bound the side of a module in mm: X-dimension at the point of sale, GS1 General
	// Specifications 5.12.3.1.
	MinModule = 0.396
	MaxModule = 0.990
	// practical is the side in mm that phones read without effort; a smaller code is printed only where there is no room.
	practical = 15.0
	roomy     = 20.0 // what there should be where there is room
	mmPerInch = 25.4
	minDPI    = 100
	maxDPI    = 2400
)

// SheetDPI is what office printers have: modules on sheets are whole dots of it.
const SheetDPI = 600

// Where says what a label lives through.
type Where int

// Labels on a bag or box in a shop, and boards that hang in sun, rain and mud.
const (
	Indoors Where = iota
	Outdoors
)

// NewPrinted makes the code of an address for paper. Its level is M (15 % may be lost) and Q (25 %) outdoors, and more
// where more costs not one module: a code has room to spare as often as not.
func NewPrinted(url string, where Where) (*Code, error) {
	if err := checkURL(url); err != nil {
		return nil, err
	}
	levels := []qrcode.RecoveryLevel{qrcode.Medium, qrcode.High, qrcode.Highest} // M, Q, H
	if where == Outdoors {
		levels = levels[1:]
	}
	var best *qrcode.QRCode
	for _, level := range levels {
		q, err := qrcode.New(url, level)
		if err != nil {
			return nil, fmt.Errorf("label: %w", err)
		}
		if best != nil && q.VersionNumber > best.VersionNumber {
			break
		}
		best = q
	}
	level := map[qrcode.RecoveryLevel]byte{qrcode.Medium: 'M', qrcode.High: 'Q', qrcode.Highest: 'H'}[best.Level]
	return &Code{url: url, modules: best.Bitmap(), level: level}, nil
}

// Level returns the level of error correction: 'M', 'Q' or 'H'.
func (c *Code) Level() byte { return c.level }

// dotsPerMM turns a printer's resolution into dots per millimetre.
func dotsPerMM(dpi int) (float64, error) {
	if dpi < minDPI || dpi > maxDPI {
		return 0, refuse(BadPrinter, fmt.Sprintf("printer of %d dpi: want %d to %d (label printers have 203 or 300)", dpi, minDPI, maxDPI), dpi)
	}
	if dpi == 203 { // as they are sold; they have 8 dots a millimetre
		return 8, nil
	}
	return float64(dpi) / mmPerInch, nil
}

// moduleDots returns how many dots a module may have at least and at most.
func moduleDots(perMM float64) (least, most int) {
	least = int(math.Ceil(MinModule*perMM - 1e-9))
	return least, max(least, int(MaxModule*perMM+1e-9))
}

// Side returns the least side in mm of the code with its quiet zone, printed at a resolution.
func (c *Code) Side(dpi int) (float64, error) {
	perMM, err := dotsPerMM(dpi)
	if err != nil {
		return 0, err
	}
	least, _ := moduleDots(perMM)
	return float64(c.Size()*least) / perMM, nil
}

// TooSmallError says that a label cannot be printed so that it can be read, and what can.
type TooSmallError struct {
	Size  Size    // the label
	DPI   int     // the printer
	Code  float64 // side in mm of the least code there may be
	Needs Size    // the smallest label of the same shape that works on this printer; zero: none up to A4
	Finer int     // a usual resolution at which this label works; 0: none
}

// Error says it in one line.
func (e *TooSmallError) Error() string {
	s := fmt.Sprintf("label: %s mm is too small at %d dpi: the code alone is %.1f mm (a module is at least %.3f mm, whole dots)", e.Size, e.DPI, e.Code, MinModule)
	if e.Needs.W > 0 {
		s += fmt.Sprintf("; the smallest label that works is %s mm", e.Needs)
	}
	if e.Finer > 0 {
		s += fmt.Sprintf("; or print this one at %d dpi", e.Finer)
	}
	return s
}
