// Package witness is the C2SP tlog-witness protocol, both sides of it: Handler is a small witness anyone can run, Client asks one.
//
// Heads of logs come in; a head that extends the one seen before is kept and cosigned, one that does not is refused. Whoever rewrites a
// log's past, and signs it anew with the right key, does not get past a witness that saw the old one.
package witness
