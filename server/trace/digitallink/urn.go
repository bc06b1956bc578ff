package digitallink

import (
	"net/url"
	"strings"

	"aovuon/server/farm"
)

// FromURN returns the Digital Link of an EPC URN (EPC Tag Data Standard, section 6): of an instance (urn:epc:id:…), a class
// (urn:epc:class:lgtin, urn:epc:idpat:sgtin:….*), whose company prefix ends at the first dot.
func FromURN(urn string) (Link, error) {
	rest, ok := strings.CutPrefix(urn, "urn:epc:")
	if !ok || len(urn) > maxPath {
		return Link{}, malformed(BadKey, urn)
	}
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) != 3 {
		return Link{}, malformed(BadKey, urn)
	}
	fields := strings.SplitN(parts[2], ".", 3)
	for i, f := range fields {
		v, err := url.PathUnescape(f)
		if err != nil || v == "" && i < 2 && parts[1] != "pgln" {
			return Link{}, malformed(BadEncoding, urn)
		}
		fields[i] = v
	}
	elements, ok := elementsOf(parts[0], parts[1], fields)
	if !ok {
		return Link{}, malformed(BadKey, urn)
	}
	return New(elements...)
}

// elementsOf turns the fields of a URN into application identifiers.
func elementsOf(form, scheme string, f []string) ([]Element, bool) {
	if len(f) < 2 || strings.Trim(f[0], "0123456789") != "" {
		return nil, false
	}
	last := ""
	if len(f) == 3 {
		last = f[2]
	}
	switch form + ":" + scheme {
	case "id:sgtin":
		return []Element{{"01", indicated(f[0], f[1])}, {"21", last}}, last != ""
	case "idpat:sgtin":
		return []Element{{"01", indicated(f[0], f[1])}}, last == "*"
	case "class:lgtin":
		return []Element{{"01", indicated(f[0], f[1])}, {"10", last}}, last != ""
	case "id:sscc":
		return []Element{{"00", indicated(f[0], f[1])}}, len(f) == 2
	case "id:sgln":
		if last == "0" || last == "" {
			return []Element{{"414", checked(f[0] + f[1])}}, true
		}
		return []Element{{"414", checked(f[0] + f[1])}, {"254", last}}, true
	case "id:pgln":
		return []Element{{"417", checked(f[0] + f[1])}}, len(f) == 2
	case "id:giai": // the asset's reference may have dots
		return []Element{{"8004", strings.Join(append([]string{f[0] + f[1]}, f[2:]...), ".")}}, true
	case "id:grai":
		return []Element{{"8003", "0" + checked(f[0]+f[1]) + last}}, last != ""
	case "idpat:grai":
		return []Element{{"8003", "0" + checked(f[0]+f[1])}}, last == "*"
	case "id:gdti":
		return []Element{{"253", checked(f[0]+f[1]) + last}}, last != ""
	case "idpat:gdti":
		return []Element{{"253", checked(f[0] + f[1])}}, last == "*"
	case "id:gsrn":
		return []Element{{"8018", checked(f[0] + f[1])}}, len(f) == 2
	case "id:gsrnp":
		return []Element{{"8017", checked(f[0] + f[1])}}, len(f) == 2
	case "id:sgcn":
		return []Element{{"255", checked(f[0]+f[1]) + last}}, last != ""
	case "id:itip", "id:upui", "id:cpi", "id:ginc", "id:gsin":
		return nil, false // none of them names what a farm has
	}
	return nil, false
}

// indicated puts the indicator digit, first of the reference, before the company prefix.
func indicated(company, reference string) string {
	if reference == "" {
		return ""
	}
	return checked(reference[:1] + company + reference[1:])
}

// checked appends the check digit.
func checked(digits string) string {
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return digits
	}
	return digits + string(farm.CheckDigit(digits))
}
