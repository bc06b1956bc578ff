// Package flow takes in what is done with goods after the harvest: lots become lots, are packed into items with serials, go into boxes, are
// shipped, come back, are held, released for sale and recalled.
//
// An order comes in as a trace.Goods, of whom, and goes out as the event that was kept, with its numbers filled in, or as a RefusedError that
// says what is wrong, with the arithmetic. The package holds the rules (which lot may do what, the mass account, the yields, what items and
// boxes come to) and a Desk that applies them within one transaction of its Store. No SQL, no HTTP: server/sqldb is the Store.
package flow
