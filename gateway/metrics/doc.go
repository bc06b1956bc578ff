// Package metrics shows the inside of a running gateway to Prometheus.
//
// Functions that tell the newest readings and how the parts are come in; text in Prometheus's exposition format goes out over
// HTTP at /metrics. Nothing is kept but the number of every sensor's faults, so memory is bounded by the configuration.
package metrics
