package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// MaxStatusBytes is the longest status message a reader accepts.
const MaxStatusBytes = 4096

// The states of a gateway.
const (
	Online  = "online"
	Offline = "offline"
)

// Status is the retained message on a gateway's status topic and, with State Offline alone, its last will. It is not
// signed: it says how a gateway feels, and proves nothing.
type Status struct {
	State   string    `json:"state"`             // Online or Offline
	Reason  string    `json:"reason,omitempty"`  // why it is offline: "stopped" when it said goodbye
	Time    time.Time `json:"time,omitzero"`     // when it was said, by the gateway's clock
	Epoch   string    `json:"epoch,omitempty"`   // of the spool
	Next    uint64    `json:"next,omitempty"`    // the batch to be sealed next
	Pending uint64    `json:"pending,omitempty"` // readings committed and not sealed
	Sealed  uint64    `json:"sealed,omitempty"`  // batches without a receipt
	Health  string    `json:"health,omitempty"`  // "ok", or what is wrong
	Dropped uint64    `json:"dropped,omitempty"` // readings lost since the start, each declared as a gap too
	Thinned uint64    `json:"thinned,omitempty"` // readings thinned out of the backlog since the start, each declared as a gap too
	Bytes   uint64    `json:"bytes,omitempty"`   // of the spool in use
	Version string    `json:"version,omitempty"` // of the program
}

// Encode returns the payload.
func (s Status) Encode() ([]byte, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("wire: status: %w", err)
	}
	return raw, nil
}

// ParseStatus reads a status payload. Unknown members are ignored, so that an old server reads a new gateway.
func ParseStatus(payload []byte) (Status, error) {
	if len(payload) > MaxStatusBytes {
		return Status{}, fmt.Errorf("wire: status: %w: %d bytes", ErrTooLarge, len(payload))
	}
	var s Status
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&s); err != nil {
		return Status{}, fmt.Errorf("wire: status: %w: %w", ErrMalformed, err)
	}
	if d.More() || (s.State != Online && s.State != Offline) {
		return Status{}, fmt.Errorf("wire: status: %w: state %.32q", ErrMalformed, s.State)
	}
	return s, nil
}
