// Package uplink carries sealed batches to the server and forgets them when the server says it has them.
//
// Batches come out of the spool, go to an MQTT broker (QoS 1), and are released from the spool by a signed receipt. A
// PUBACK, a token, a connection prove nothing: only a receipt signed with the server's key, for this gateway and this
// epoch, deletes anything. At most a window of batches is under way without a receipt; what is not confirmed in time is
// sent again from the first missing one, byte for byte.
//
// How paho is used, and why: a new client for every connection, a clean session, its memory store, no reconnecting of
// its own. Its file store does not survive a power cut and panics on a full disk; after an automatic reconnect its tokens
// report success for messages that were never acknowledged.
package uplink
