package farm

import (
	_ "embed"
	"fmt"
)

//go:embed demo.yaml
var demoYAML []byte

// Demo returns the farm of the demo, from demo.yaml.
func Demo() (*Farm, error) {
	f, err := Parse("demo.yaml", demoYAML)
	if err != nil {
		return nil, fmt.Errorf("farm: demo: %w", err)
	}
	return f, nil
}
