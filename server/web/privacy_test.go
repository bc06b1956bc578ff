package web_test

import (
	"html"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"text/template/parse"

	"aovuon/server/privacy"
)

// publicTemplates are those that draw pages which everybody sees.
func publicTemplates() []string {
	return []string{"board.html", "label.html", "where.html", "sold.html", "proof.html", "ledger.html", "privacy.html", "missing.html", "layout.html"}
}

// shownBy says of each value that a public template takes from its data which line of the table of what is shown to whom it belongs to;
// "-" is what says nothing of the farm or of a person: words of the page, its links, and what only decides.
func shownBy() map[string]string {
	out := map[string]string{}
	for field, values := range map[string]string{
		"-": `.Title .Alarm .Text .Detail .Sheet .Href .Label .Forms .Next .There .Live .Script .Plain .Demo .Nav .QR .Any .Limited .Days .Waiting .Base .HasBody .Version .Consent .Shown .Who
			.Fields .Kept .What .Until .Columns .Heading .Unit .Quantity .Uncal .Unsigned .Outbox .AsOf .Rest .InRest .Near .Barred .Icon .Entries .Theme .Themes .Here .Says .Sellable .Provinces .Abroad .Before .Typed .Shop .Internal
			.Tone .Head .Why .Say .Mark .Now .Pending .Back .Done .Problem .Kinds .Code .Where .Note .Contact .Reports .OneDay .SameName .Measured .Bare .Soon`,
		"coop":    ".Coop",
		"address": ".Address .Today .Place.Address",
		"place":   ".Places .Place.Zone .Place.AreaM2 .Title .Zone .AreaM2 .Place.Title .Place.Holds .Place.Code", "place.coordinates": ".Map",
		"product": ".Product.Name .Photo",
		"journey": ".Journey .At .Until.IsZero .Parents .Text", "treatment": ".Treated .When .Wait .Waited",
		"item": ".Item .Filled .Filled.IsZero .Boxes .Serial .State .Best .Best.IsZero .NetG", "scan": ".Seen .Count .Odd",
		"lot":          ".Lots .Verdict .Amount .Lot.Code .Lot.Species .Lot.Scientific .Lot.Stocked .Lot.Stocked.IsZero .Lot.Harvested .Lot.Harvested.IsZero .Lot.KG .Lot.GTIN .Days .Lot",
		"water":        ".Covered .Charts .Figures .Said .SVG .Within .Min .Mean .Max .WithinHours .ShareWithin .Share .Count .UncalCount .UnsignedCount .Gaps .From .To .Reason .Of .MoreGaps .Weighed",
		"limits":       ".Limits",
		"certificate":  ".Certificates .Scheme .Standard .Number .Issuer .From .To .LastDay",
		"gateway":      ".Who .Gateways .Told",
		"seal":         ".Bundle .Seal .Seal.At .Seal.Leaf",
		"leaf":         ".N .Leaf.Subject .Leaf.Time .By .Body .Me", // .Me: the visitor's own pseudonym, told to nobody else; leaves tell it to everybody,
		"proof":        ".Head.Size .Last .Leaves .Hashes .Log .VKey .Witness .Seen .Name .Time",
		"person.name":  ".Name .People",
		"person.phone": ".Phone", "person.household": ".Household",
	} {
		for v := range strings.FieldsSeq(values) {
			out[v] += field + " "
		}
	}
	return out
}

// values returns every field that a template takes from its data.
func values(t *testing.T, name string) []string {
	t.Helper()
	raw, err := os.ReadFile("templates/" + name)
	if err != nil {
		t.Fatal(err)
	}
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	set := map[string]*parse.Tree{}
	if _, err := tree.Parse(string(raw), "", "", set); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, tree := range set {
		if tree.Root != nil {
			walk(tree.Root, found)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func walk(n parse.Node, found map[string]bool) {
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe, found)
		walk(b.List, found)
		if b.ElseList != nil {
			walk(b.ElseList, found)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, c := range n.Nodes {
			walk(c, found)
		}
	case *parse.ActionNode:
		walk(n.Pipe, found)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			walk(n.Pipe, found)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			for _, a := range c.Args {
				walk(a, found)
			}
		}
	case *parse.FieldNode:
		found[n.String()] = true
	case *parse.VariableNode:
		if len(n.Ident) > 1 {
			found["."+strings.Join(n.Ident[1:], ".")] = true
		}
	case *parse.ChainNode:
		walk(n.Node, found)
		found["."+strings.Join(n.Field, ".")] = true
	}
}

// A value that a public page shows is in the table of what is shown to whom, or the test says which is not.
func TestPublicPages_ShowOnlyWhatTheTableSays(t *testing.T) {
	table, used := shownBy(), map[string]bool{}
	for _, name := range publicTemplates() {
		found := values(t, name)
		if len(found) == 0 {
			t.Errorf("%s: no value found", name)
		}
		for _, v := range found {
			if table[v] == "" {
				t.Errorf("%s shows %s: say in shownBy which line of privacy.Fields it is; a new one needs a line, and texts on /privacy", name, v)
			}
			used[v] = true
		}
	}
	for v, lines := range table {
		if !used[v] {
			t.Errorf("%s: no public template has it any more", v)
		}
		for id := range strings.FieldsSeq(lines) {
			if f, ok := privacy.FieldOf(id); id != "-" && (!ok || f.To != privacy.Everybody) {
				t.Errorf("%s: %s is not for everybody by the table", v, id)
			}
		}
	}
}

func TestPrivacyPage_SaysEveryLineOfTheTable(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for _, lang := range []string{"vi", "en"} {
		body := html.UnescapeString(string(get(t, srv, "/privacy?lang="+lang, nil).body))
		words := texts(t, lang)
		for _, f := range privacy.Fields() {
			if !strings.Contains(body, words["privacy.field."+f.ID]) {
				t.Errorf("%s: does not say %s", lang, f.ID)
			}
		}
		for _, k := range privacy.Retention() {
			if !strings.Contains(body, words["privacy.kept."+k.ID]) {
				t.Errorf("%s: does not say how long %s is kept", lang, k.ID)
			}
		}
	}
}

func TestLabelPage_ShowsPeopleWhileTheyAgree(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	path := s.demo.Lot.Link().Path()
	before := get(t, srv, path, nil)
	if strings.Contains(string(before.body), "Người nuôi, trồng") {
		t.Error("somebody is shown who did not agree")
	}
	s.people = []privacy.Shown{{Place: s.demo.Lot.Places[0], Name: "Nguyễn <b>Thử", Phone: "0900 123 456"}}
	with := get(t, srv, path, nil)
	if body := string(with.body); !strings.Contains(body, "Nguyễn &lt;b&gt;Thử, điện thoại 0900 123 456") {
		t.Error("the person is not shown as they agreed")
	}
	if c := with.header.Get("Cache-Control"); c != "public, no-cache" {
		t.Errorf("a page that somebody may take back is kept: %q", c)
	}
	s.people = nil
	if after := get(t, srv, path, map[string][]string{"If-None-Match": {with.header.Get("ETag")}}); after.status != 200 || strings.Contains(string(after.body), "Thử") {
		t.Errorf("after withdrawal: %d", after.status)
	}
}
