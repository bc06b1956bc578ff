package yamlfile

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// mistyped says why a node cannot become a t, or nil. The YAML library would report the first such node of a file alone,
// and make 2 of 2.5 without a word. What this does not know (aliases, anchors, tags) is left to the library.
func (d *Document) mistyped(n ast.Node, t reflect.Type) *Error {
	found := foundName(n)
	if found == "" || t.Kind() == reflect.Interface {
		return nil
	}
	wrong := func(mend string) *Error {
		return d.at(n.GetToken(), fmt.Sprintf("%s where %s is expected", found, typeName(t)), mend)
	}
	scalar, isScalar := n.(ast.ScalarNode)
	switch {
	case readsText(t):
		if !isScalar {
			return wrong("write a text")
		}
		return d.unread(scalar, t)
	case t == reflect.TypeFor[time.Duration]():
		s, ok := n.(*ast.StringNode)
		if !ok {
			return wrong("write " + typeName(t))
		}
		if _, err := time.ParseDuration(s.Value); err != nil {
			return d.at(n.GetToken(), fmt.Sprintf("%q is not a time", s.Value), "write a number and its unit, as in 500ms, 30s or 15m")
		}
		return nil
	}
	fits := true
	switch k := t.Kind(); {
	case k == reflect.Struct || k == reflect.Map:
		if fits = found == groupName; !fits {
			return wrong(d.example + " shows the shape of every part")
		}
	case k == reflect.Slice:
		if fits = found == listName; !fits {
			return wrong(d.example + " shows the shape of every part")
		}
	case k == reflect.String:
		fits = isScalar
	case k == reflect.Bool:
		_, fits = n.(*ast.BoolNode)
	case k == reflect.Float32 || k == reflect.Float64:
		_, fits = numberOf(n)
	case k >= reflect.Int && k <= reflect.Uint64:
		v, isNumber := numberOf(n)
		if isNumber && !holds(t, v) {
			return d.at(n.GetToken(), fmt.Sprintf("%s where a whole number%s is expected", n.GetToken().Value, rangeOf(t)), "write a whole number"+rangeOf(t))
		}
		fits = isNumber
	}
	if !fits {
		return wrong("write " + typeName(t))
	}
	return nil
}

const (
	groupName = "a group of keys"
	listName  = "a list"
)

// foundName is what a person calls a node; empty for what is left to the library.
func foundName(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return groupName
	case *ast.SequenceNode:
		return listName
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.IntegerNode:
		return "a whole number"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	}
	return ""
}

// readsText says whether values of t read their own text.
func readsText(t reflect.Type) bool {
	return t != reflect.TypeFor[time.Time]() && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// unread lets a t read a text, and points at it when it does not. Such an error may end with ": write ...", the mend.
func (d *Document) unread(n ast.ScalarNode, t reflect.Type) *Error {
	reader, ok := reflect.TypeAssert[encoding.TextUnmarshaler](reflect.New(t))
	if !ok {
		return nil
	}
	err := reader.UnmarshalText([]byte(n.GetToken().Value))
	if err == nil {
		return nil
	}
	what, mend, _ := strings.Cut(err.Error(), ": write ")
	if mend != "" {
		mend = "write " + mend
	}
	return d.at(n.GetToken(), what, mend)
}

// numberOf reads a number as the YAML library does: also 1e3, which is a text to it.
func numberOf(n ast.Node) (float64, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		switch v := n.Value.(type) {
		case int64:
			return float64(v), true
		case uint64:
			return float64(v), true
		}
	case *ast.FloatNode:
		return n.Value, true
	case *ast.InfinityNode:
		return n.Value, true
	case *ast.NanNode:
		return math.NaN(), true
	case *ast.StringNode:
		v, err := strconv.ParseFloat(n.Value, 64)
		return v, err == nil
	}
	return 0, false
}

// holds says whether a whole number type has room for v.
func holds(t reflect.Type, v float64) bool {
	if v != math.Trunc(v) || math.IsInf(v, 0) || math.IsNaN(v) {
		return false
	}
	bits := t.Bits()
	if t.Kind() >= reflect.Uint {
		return v >= 0 && v < math.Ldexp(1, bits)
	}
	return v >= -math.Ldexp(1, bits-1) && v < math.Ldexp(1, bits-1)
}

// rangeOf names the range of the small types of whole numbers.
func rangeOf(t reflect.Type) string {
	switch {
	case t.Kind() >= reflect.Uint && t.Bits() <= 16:
		return fmt.Sprintf(" from 0 to %d", 1<<t.Bits()-1)
	case t.Kind() >= reflect.Uint:
		return " from 0"
	}
	return ""
}
