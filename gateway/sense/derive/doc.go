// Package derive computes what no probe measures from what probes measure: oxygen saturation, un-ionised ammonia, salinity,
// dew point, vapour pressure deficit, soil water.
//
// The newest readings of a sense.Board come in, a sample goes out, as from a chip: a derived channel is a sense.Sensor that
// is asked whenever its main input has said something. The formulas and their limits are those of gateway/sense/formula.
//
// A derived value is worth no more than the worst of what it was computed with. An input that is too old, or that nobody
// gave, makes it Estimated; one that was never there, and a main input without a value, leave a fault with the reason of
// that input. A value the formula is not valid for gives no number: the fault is refused.
package derive
