// Package audit checks a server's records as a stranger can, trusting nothing but the log's public key.
//
// A Source (a server over HTTP, or its database) comes in; a Report goes out: the tree recomputed from its leaves, every tile, body, row,
// batch and chain compared, and the evidence of every sealed lot computed again from the batches the gateways signed. What does not agree
// is a Finding that says where; what cannot be checked is a Note.
package audit
