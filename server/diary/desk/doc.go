// Package desk takes entries of the diary in, one by one, and keeps the lots that harvests open.
//
// What phones and pages send comes in with who sent it; Events that were checked, and what becomes of lots by them, go out to a Store in one
// transaction, and an Outcome each back to the sender. A harvest that a Judge finds blocked is kept, and its lot is held; nothing but a
// Release by a second person lets it go. One entry that cannot be taken never holds back the others. No SQL, no HTTP.
package desk
