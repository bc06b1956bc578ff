// Package fleet runs many gateways against a server, and counts.
//
// A folder with keys and a plan come in; load at a broker goes out, and a result that accounts for every batch: asked for,
// produced, published, receipted, stored, in the history, lost, twice, late, refused. Formats are in FORMAT.md.
//
// Each gateway of a fleet is the real uplink (gateway/uplink) with real keys: its window, its will and status, its way of
// sending again, its check of every receipt, its patience. Only what stands before and behind the uplink is made here: a
// chain of signed batches in memory instead of the spool on a card (chain), and a link to the broker that can be spoiled
// (link). What the server has is not believed of its receipts alone: it is asked (Witness).
package fleet
