package truth

import (
	"math"
	"slices"
)

// Errors are how far values are from the truth, value minus truth, in the quantity's unit. Without a value (N is 0) there are
// none.
type Errors struct {
	N    int     `json:"n"`
	Bias float64 `json:"bias"` // mean
	MAE  float64 `json:"mae"`  // mean of the absolute
	RMSE float64 `json:"rmse"` // root of the mean of the squares
	P95  float64 `json:"p95"`  // 95 of 100 absolute errors are at most this (nearest rank)
	Max  float64 `json:"max"`  // the largest absolute one
}

// ErrorsOf are the figures of single errors.
func ErrorsOf(list []float64) (e Errors) {
	e.N = len(list)
	if e.N == 0 {
		return e
	}
	absolute := make([]float64, e.N)
	squares := 0.0
	for i, d := range list {
		absolute[i] = math.Abs(d)
		e.Bias += d
		e.MAE += absolute[i]
		squares += d * d
	}
	n := float64(e.N)
	slices.Sort(absolute)
	e.Bias, e.MAE, e.RMSE = e.Bias/n, e.MAE/n, math.Sqrt(squares/n)
	e.P95, e.Max = absolute[int(math.Ceil(0.95*n))-1], absolute[e.N-1]
	return e
}
