package app

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"aovuon/gateway/calibrate"
)

// valueFor finds what --point says of a step: by its name, or a bare value by the bottle it is nearest to.
func (c *calibrateCmd) valueFor(step calibrate.Step, all []calibrate.Step) (value *float64, named bool, err error) {
	open := 0 // bare values that are meant for steps without a value of their own, in order
	for _, text := range c.Point {
		name, number, both := strings.Cut(text, "=")
		if text == step.Name {
			return nil, true, nil
		}
		if both && name != step.Name {
			continue
		}
		if !both {
			number = text
		}
		v, err := strconv.ParseFloat(strings.Replace(number, ",", ".", 1), 64)
		if err != nil {
			if !both && isStep(text, all) {
				continue
			}
			return nil, false, fmt.Errorf("--point %s: want a value, STEP=VALUE, or the name of a step", text)
		}
		if both || nearest(v, all) == step.Name {
			return &v, true, nil
		}
		if step.Nominal == nil && step.Asks != "" && nearest(v, all) == "" {
			if open == openBefore(step, all) {
				return &v, true, nil
			}
			open++
		}
	}
	return nil, false, nil
}

// checkPoints refuses a --point that no step would take: a mistyped bottle must not be silently left out.
func (c *calibrateCmd) checkPoints(all []calibrate.Step) error {
	for _, text := range c.Point {
		taken := false
		for _, step := range all {
			_, named, err := c.valueFor(step, all)
			if err != nil {
				return err
			}
			only := &calibrateCmd{Point: []string{text}}
			_, alone, err := only.valueFor(step, all)
			if err != nil {
				return err
			}
			taken = taken || named && alone || step.Nominal == nil && step.Asks != ""
		}
		if !taken {
			return fmt.Errorf("--point %s fits no step of this calibration: %s", text, described(all))
		}
	}
	return nil
}

// described lists steps and the values they take.
func described(all []calibrate.Step) string {
	var out []string
	for _, s := range all {
		text := s.Name
		if s.Asks != "" {
			text += fmt.Sprintf(" (%s to %s)", num(s.Least), num(s.Most))
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func isStep(name string, all []calibrate.Step) bool {
	for _, s := range all {
		if s.Name == name {
			return true
		}
	}
	return false
}

// nearest is the step whose bottle v can be of.
func nearest(v float64, all []calibrate.Step) string {
	best, name := math.Inf(1), ""
	for _, s := range all {
		if s.Asks == "" || s.Nominal == nil || v < s.Least || v > s.Most {
			continue
		}
		if d := math.Abs(v - *s.Nominal); d < best {
			best, name = d, s.Name
		}
	}
	return name
}

// openBefore counts the steps before step that have no value of their own either.
func openBefore(step calibrate.Step, all []calibrate.Step) (n int) {
	for _, s := range all {
		if s.Name == step.Name {
			break
		}
		if s.Nominal == nil && s.Asks != "" {
			n++
		}
	}
	return n
}

// pick finds what a repeated flag says of a step: STEP=TEXT, one text for all, or as many as there are bottles, in order.
func pick(texts []string, step calibrate.Step, all []calibrate.Step) string {
	var bare []string
	for _, text := range texts {
		if name, rest, ok := strings.Cut(text, "="); ok && isStep(name, all) {
			if name == step.Name {
				return rest
			}
			continue
		}
		bare = append(bare, text)
	}
	if len(bare) == 1 {
		return bare[0]
	}
	i := 0
	for _, s := range all {
		if s.Name == step.Name && i < len(bare) {
			return bare[i]
		}
		if s.Buffer {
			i++
		}
	}
	return ""
}
