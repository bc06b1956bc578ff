package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"aovuon/gateway/measure"
)

// Limits of a batch; what exceeds them is refused before it is parsed.
const (
	MaxBatchBytes   = 60_000 // below the broker's payload limit of 64 KiB with topic and header
	MaxRecords      = 2_000
	MaxSensorLength = 40
	MaxEpochLength  = 16
)

// The reasons Open and OpenReceipt refuse a message. Callers tell them apart with errors.Is.
var (
	ErrTooLarge  = errors.New("larger than a batch may be")
	ErrMalformed = errors.New("not in the canonical form of FORMAT.md")
	ErrSignature = errors.New("no valid signature of the named key")
	ErrForeign   = errors.New("names another sender than the one it came from")
)

// Hash is the SHA-256 of a whole sealed batch, signature lines included. The zero Hash stands for "no batch before".
type Hash [sha256.Size]byte

// HashOf returns the hash of a sealed batch.
func HashOf(sealed []byte) Hash { return sha256.Sum256(sealed) }

// String returns the standard base64 of h, or "-" for the zero Hash.
func (h Hash) String() string {
	if h == (Hash{}) {
		return "-"
	}
	return base64.StdEncoding.EncodeToString(h[:])
}

// Batch is what a gateway signs: the readings of some seconds, of one boot and one clock state, chained to the batch
// before it.
type Batch struct {
	Gateway string             // [a-z0-9][a-z0-9-]{1,38}
	Epoch   string             // 16 lower-case hexadecimal digits, random, made with the spool
	Seq     uint64             // 1, 2, 3 ... within the epoch
	Prev    Hash               // hash of batch Seq-1; zero exactly when Seq is 1
	Clock   measure.ClockState // of every record in the batch
	Boot    string             // [0-9a-f]{8,32}, of every record in the batch
	Anchor  *Anchor            // only where Clock is not Unsynced
	Gaps    []Gap
	// Documents are what happened to the gateway's measuring, in the order it happened.
	Documents []Document
	// Readings are in the order they were taken. With Clock Unsynced only Time.Uptime is set, otherwise only Time.Wall.
	Readings []measure.Reading
}

// Anchor pairs a time since boot with the wall time of the same moment, so that the server can date the unsynced
// batches of that boot.
type Anchor struct {
	Uptime time.Duration
	Wall   time.Time
}

// Gap declares readings that were taken and lost, thinned or never stored.
type Gap struct {
	From, To measure.Instant // Wall, or Uptime where the batch is Unsynced
	Lost     uint64          // number of readings; 0 when unknown
	Reason   GapReason
}

// Document is a record that is no number: a calibration, or what became of settings. Its body is kept byte for byte.
type Document struct {
	Time measure.Instant // Wall, or Uptime where the batch is Unsynced
	Kind DocumentKind
	Body string // 1 to MaxDocument bytes, a JSON object (RFC 8259)
}

// MaxDocument is the longest body of a Document.
const MaxDocument = 8_192

// DocumentKind says what a Document is.
type DocumentKind string

// The kinds of documents.
const (
	DocCalibration DocumentKind = "calibration" // what was done to a probe, by whom, and what came of it
	DocSettings    DocumentKind = "settings"    // which settings are in force since then, or why some were refused
)

// Valid reports whether k is a known kind.
func (k DocumentKind) Valid() bool { return k == DocCalibration || k == DocSettings }

// GapReason says why readings are missing.
type GapReason string

// The reasons of a gap.
const (
	GapSpoolCorrupt GapReason = "spool-corrupt" // the spool file could not be read and was set aside
	GapSpoolFull    GapReason = "spool-full"
	GapThinned      GapReason = "thinned"
	GapDiskFailed   GapReason = "disk-failed"
	GapPowerCut     GapReason = "power-cut" // readings taken after the last commit before the gateway stopped unasked
)

// Valid reports whether r is a known reason.
func (r GapReason) Valid() bool {
	switch r {
	case GapSpoolCorrupt, GapSpoolFull, GapThinned, GapDiskFailed, GapPowerCut:
		return true
	}
	return false
}

// ValidGatewayID reports whether id is [a-z0-9][a-z0-9-]{1,38} and none of the names MQTT topics reserve.
func ValidGatewayID(id string) bool { return len(id) >= 2 && measure.ValidID(id, 39) }

func validHex(s string, lo, hi int) bool {
	if len(s) < lo || len(s) > hi {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
