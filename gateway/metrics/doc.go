// Package metrics shows the inside of a running gateway to Prometheus.
//
// Readings come in (a Board is a sink beside the one that keeps them) and functions that tell how the parts are; text in
// Prometheus's exposition format goes out over HTTP at /metrics. Nothing is kept but the newest reading of every series and
// the number of its faults, so memory is bounded by the configuration.
package metrics
