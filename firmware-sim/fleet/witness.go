package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Witness says what the server has, past everything that was said over MQTT.
type Witness interface {
	Count(ctx context.Context) (Count, error)
}

// Count is what server log count --json prints; see FORMAT.md beside that command.
type Count struct {
	Log     int64            `json:"log"`
	Drawn   int64            `json:"drawn"`
	Chains  []ChainCount     `json:"chains"`
	Refused []RefusedCount   `json:"refused"`
	Points  map[string]int64 `json:"points"`
}

// ChainCount is what the server's log holds of one epoch of a gateway.
type ChainCount struct {
	Gateway string `json:"gateway"`
	Epoch   string `json:"epoch"`
	Batches int64  `json:"batches"`
	Seq     uint64 `json:"seq"`
}

// RefusedCount is how many messages of a gateway the server refused, ever.
type RefusedCount struct {
	Gateway string `json:"gateway"`
	Reason  string `json:"reason"`
	N       int64  `json:"n"`
}

// Command is the server's program, or whatever leads to it: "server --config server.yaml", "ssh host server".
type Command []string

// Count implements Witness.
func (c Command) Count(ctx context.Context) (count Count, err error) {
	argv := append(append([]string(nil), c...), "log", "count", "--json", "--history")
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // the words are the user's own
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return count, fmt.Errorf("fleet: ask the server: %s: %w: %s", strings.Join(argv, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	if err := json.Unmarshal(out, &count); err != nil {
		return count, fmt.Errorf("fleet: ask the server: %s printed no count: %w", strings.Join(argv, " "), err)
	}
	if count.Chains == nil || count.Points == nil {
		return count, errors.New("fleet: ask the server: its answer has no chains or no points; is it of this version?")
	}
	return count, nil
}
