package ledger

// Line is the text of an entry, without its end.
func Line(e Entry) string { return string(e.append(nil)) }
