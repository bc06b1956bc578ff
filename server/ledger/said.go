package ledger

// Said is one leaf with what was said, and what had been said before of the same.
type Said struct {
	N      int64
	Leaf   Leaf
	Body   []byte // nil: erased
	Before []byte // body of the leaf before it of the same kind and subject; nil: none, or erased
}
