// Package ledger is the log that nobody can rewrite unseen: a Merkle tree (RFC 6962) of leaves that say what was recorded, when
// and by whom.
//
// What was recorded comes in as an Entry; the bytes of a Leaf, tree heads, proofs and what checks them go out. The package holds
// rules and formats (FORMAT.md) and no store: server/sqldb keeps leaves and hashes in the transaction that writes the rows they
// stand for, server/web serves them.
package ledger
