// Package fieldbench lets a benchmark harness that knows nothing of signatures feed this product: readings come in as the harness makes them;
// sealed batches go out over MQTT as a gateway sends them, and what the server gave a receipt for comes back.
//
// README.md says how the harness is told of it. The package is for load on one machine: keys are drawn from names, so that the side
// that enrols the gateways and the side that seals for them need not share a file. They protect nothing.
package fieldbench
