package wire

import "strings"

const topicRoot = "aovuon/1/"

// The last segments of a gateway's four topics: aovuon/1/<gateway>/<leaf>.
const (
	LeafBatch   = "batch"   // up, QoS 1: sealed batches
	LeafStatus  = "status"  // up, retained, last will: one Status
	LeafReceipt = "receipt" // down, QoS 0: sealed receipts
	LeafDesired = "desired" // down: versioned settings
)

// Topic returns the MQTT topic of a gateway's leaf.
func Topic(gateway, leaf string) string { return topicRoot + gateway + "/" + leaf }

// ParseTopic splits a topic into gateway and leaf; ok is false for anything Topic would not write.
func ParseTopic(topic string) (gateway, leaf string, ok bool) {
	rest, ok := strings.CutPrefix(topic, topicRoot)
	if !ok {
		return "", "", false
	}
	gateway, leaf, ok = strings.Cut(rest, "/")
	if !ok || !ValidGatewayID(gateway) {
		return "", "", false
	}
	switch leaf {
	case LeafBatch, LeafStatus, LeafReceipt, LeafDesired:
		return gateway, leaf, true
	}
	return "", "", false
}
