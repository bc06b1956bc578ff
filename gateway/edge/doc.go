// Package edge is what works at the pond with no network: alarms on local readings, and aerators that are switched by
// them.
//
// Readings come in (Engine.Observe, or Runner as a Sink beside the one that keeps them), switched relays and further
// readings go out: what was commanded, what the motor was seen to do, which alarm is on. The rules are pure: they know
// neither hardware nor files nor the machine's clock, live by uptime (wall time may jump), and answer the same to the
// same story. README.md has the state machine as tables.
package edge
