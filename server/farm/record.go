package farm

import (
	"errors"
	"fmt"
	"io"
	"time"

	"aovuon/server/form"
)

// Record is one entry of the farm's register: a household, a season of a place, an input, a certificate, a buyer, a contract. What it holds
// is said by the fields of its kind.
type Record struct {
	Kind    RecordKind  `json:"kind"`
	ID      string      `json:"id"`
	Values  form.Values `json:"values"`
	Retired bool        `json:"retired,omitempty"` // no longer offered in forms; what it stood for stays
	// Revision counts its changes from 1; whoever saves a change names the one it was made from, so that nobody overwrites what
	// another changed meanwhile.
	Revision int64     `json:"revision"`
	Changed  time.Time `json:"changed,omitzero"`
}

// Name returns what people call it.
func (r Record) Name() string {
	for _, key := range []string{"name", "number", "title"} {
		if n := r.Values.Text(key); n != "" {
			return n
		}
	}
	return r.ID
}

// Photos returns the hashes of the photos that it names: of a certificate, of a contract.
func (r Record) Photos() (sums []string) {
	for _, f := range r.Kind.Fields() {
		if f.File {
			sums = append(sums, r.Values.List(f.Key)...)
		}
	}
	return sums
}

// Stands reports whether a Cycle is of a place and a day lies in it: both its first and its last day do.
func (r Record) Stands(place string, at time.Time) bool {
	day, end := at.In(Time()).Format(time.DateOnly), r.Values.Text("end")
	return r.Kind == Cycle && r.Values.Text("place") == place && r.Values.Text("begin") <= day && (end == "" || day <= end)
}

// The errors of saving records.
var (
	// ErrNoRecord says that there is no record of that kind and id.
	ErrNoRecord = errors.New("farm: no such record")
	// ErrChanged says that somebody else changed the record since it was read.
	ErrChanged = errors.New("farm: changed by somebody else meanwhile")
)

// RecordKind says what a record is of.
type RecordKind string

// The kinds of records.
const (
	Household   RecordKind = "household"
	Product     RecordKind = "product"     // what is sold
	Cycle       RecordKind = "cycle"       // a place × species or crop × season
	Input       RecordKind = "input"       // feed, drug, pesticide, fertiliser, lime, probiotic, seed
	Certificate RecordKind = "certificate" // scope = products × places × dates
	Buyer       RecordKind = "buyer"
	Contract    RecordKind = "contract" // who promised to buy what, when, at what floor price
	Target      RecordKind = "target"   // a number that the plan of the commune asks for
)

// RecordKinds returns every kind, in the order pages show them.
func RecordKinds() []RecordKind {
	return []RecordKind{Household, Cycle, Input, Product, Certificate, Buyer, Contract, Target}
}

// RefPlace is what a form.Field of a place refers to: places are no records, they have boards.
const RefPlace = "place"

// Branch is what kind of husbandry a cycle, a product or an entry belongs to.
type Branch string

// The branches.
const (
	Fish    Branch = "fish"
	Crop    Branch = "crop"
	Herb    Branch = "herb"
	Process Branch = "process" // what is made: bánh đa, dried herbs
)

// Branches returns every branch.
func Branches() []Branch { return []Branch{Fish, Crop, Herb, Process} }

func branches() []string {
	var out []string
	for _, b := range Branches() {
		out = append(out, string(b))
	}
	return out
}

// Input types: what an input is.
const (
	Feed         = "feed"
	Drug         = "drug"
	Pesticide    = "pesticide"
	Fertilizer   = "fertilizer"
	Lime         = "lime"
	Disinfectant = "disinfectant"
	Probiotic    = "probiotic"
	Seed         = "seed"
	Packaging    = "packaging"
	OtherInput   = "other"
)

// InputTypes returns every type of input.
func InputTypes() []string {
	return []string{Feed, Drug, Pesticide, Fertilizer, Lime, Disinfectant, Probiotic, Seed, Packaging, OtherInput}
}

// Ways of growing that a cycle may aim at; whether it may be said of a lot is for its certificates.
func ways() []string { return []string{"conventional", "vietgap", "organic", "gacp"} }

// Fields returns what a record of a kind holds.
func (k RecordKind) Fields() []form.Field {
	name := form.Field{Key: "name", Type: form.Text, Required: true, Quick: true}
	note := form.Field{Key: "note", Type: form.Long, Private: true}
	switch k {
	case Household:
		return []form.Field{
			name,
			{Key: "code", Type: form.Text, Required: true, Quick: true}, // the one name that strangers see
			{Key: "hamlet", Type: form.Text},
			{Key: "phone", Type: form.Text, Private: true},
			{Key: "joined", Type: form.Date},
			{Key: "area_m2", Type: form.Number, Unit: "m²", Max: 1e8}, // also what no place of the co-op stands on
			note,
		}
	case Product:
		return []form.Field{
			name,
			{Key: "name_en", Type: form.Text},
			{Key: "branch", Type: form.Choice, Options: branches(), Required: true, Quick: true},
			{Key: "gtin", Type: form.Text}, // 14 digits; a co-op without a GS1 prefix has none
			{Key: "scientific", Type: form.Text},
			{Key: "brand", Type: form.Text},
			{Key: "unit", Type: form.Choice, Options: []string{"kg", "piece", "bag", "box", "l"}},
			{Key: "shelf_days", Type: form.Number, Whole: true, Max: 3650},
			{Key: "standard", Type: form.Text},
			{Key: "picture", Type: form.Text, File: true, Repeat: true, Quick: true}, // the first is what buyers see
			note,
		}
	case Cycle:
		return []form.Field{
			name,
			{Key: "place", Type: form.Ref, Of: RefPlace, Required: true, Quick: true},
			{Key: "branch", Type: form.Choice, Options: branches(), Required: true, Quick: true},
			{Key: "product", Type: form.Ref, Of: string(Product), Quick: true},
			{Key: "species", Type: form.Text, Required: true, Quick: true}, // cá rô phi, khoai tây
			{Key: "variety", Type: form.Text},
			{Key: "season", Type: form.Text, Required: true, Quick: true}, // vụ đông 2026
			{Key: "begin", Type: form.Date, Required: true, Quick: true},
			{Key: "end", Type: form.Date}, // the last day; none: it goes on
			{Key: "area_m2", Type: form.Number, Unit: "m²", Max: 1e8},
			{Key: "way", Type: form.Choice, Options: ways()},
			{Key: "conversion_from", Type: form.Date},                                                   // organic: the day the conversion began, as the certifier accepts it
			{Key: "conversion_months", Type: form.Number, Unit: "months", Whole: true, Min: 6, Max: 60}, // organic: what the certifier shortened it to, never below 6; none: the standard's
			{Key: "blight_class", Type: form.Choice, Options: []string{"s", "ms", "mr", "r", "hr"}},     // potato: how far the variety resists late blight; none: moderately susceptible
			{Key: "perennial", Type: form.Flag},
			{Key: "degree_days", Type: form.Number, Unit: "°C·d", Max: 5000}, // fish: a withdrawal by degree-days beside the label's days; none: not asked for
			{Key: "expected_kg_ha", Type: form.Number, Unit: "kg/ha", Max: 1e6},
			note,
		}
	case Input:
		return []form.Field{
			name,
			{Key: "type", Type: form.Choice, Options: InputTypes(), Required: true, Quick: true},
			{Key: "actives", Type: form.Text, Repeat: true, Quick: true},
			{Key: "registration_no", Type: form.Text},
			{Key: "maker", Type: form.Text},
			{Key: "unit", Type: form.Choice, Options: Units(), Required: true, Quick: true},
			{Key: "withdrawal_days", Type: form.Number, Unit: "d", Whole: true, Max: 365, Quick: true}, // fish, by the label
			{Key: "phi_days", Type: form.Number, Unit: "d", Whole: true, Max: 365, Quick: true},        // crop, by the label
			{Key: "reentry_hours", Type: form.Number, Unit: "h", Max: 1000},
			{Key: "organic_listed", Type: form.Flag}, // by the annex of the organic standard
			{Key: "npk", Type: form.Text},
			{Key: "valid_from", Type: form.Date},
			{Key: "valid_to", Type: form.Date}, // the registration's last day
			{Key: "label_source", Type: form.Text},
			note,
		}
	case Certificate:
		return []form.Field{
			{Key: "scheme", Type: form.Choice, Options: []string{"vietgap", "organic", "gacp", "ocop", "globalgap", "haccp", "other"}, Required: true, Quick: true},
			{Key: "standard", Type: form.Text, Required: true, Quick: true}, // TCVN 11892-1
			{Key: "edition", Type: form.Text, Quick: true},                  // 2017
			{Key: "number", Type: form.Text, Required: true, Quick: true},
			{Key: "issuer", Type: form.Text, Required: true, Quick: true},
			{Key: "stars", Type: form.Number, Whole: true, Min: 0, Max: 5}, // OCOP
			{Key: "products", Type: form.Ref, Of: string(Product), Repeat: true, Required: true, Quick: true},
			{Key: "places", Type: form.Ref, Of: RefPlace, Repeat: true, Quick: true}, // none: a made product, wherever it is made
			{Key: "from", Type: form.Date, Required: true, Quick: true},
			{Key: "to", Type: form.Date, Required: true, Quick: true},             // the last day
			{Key: "file", Type: form.Text, File: true, Repeat: true, Quick: true}, // photos of its pages
			note,
		}
	case Buyer:
		return []form.Field{
			name,
			{Key: "buyer_type", Type: form.Choice, Options: []string{"company", "trader", "coop", "market", "school", "household"}, Quick: true},
			{Key: "tax_code", Type: form.Text},
			{Key: "address", Type: form.Text},
			{Key: "phone", Type: form.Text, Private: true, Quick: true},
			{Key: "contact", Type: form.Text, Private: true},
			note,
		}
	case Contract:
		return []form.Field{
			{Key: "number", Type: form.Text, Required: true, Quick: true},
			{Key: "buyer", Type: form.Ref, Of: string(Buyer), Required: true, Quick: true},
			{Key: "product", Type: form.Ref, Of: string(Product), Required: true, Quick: true},
			{Key: "season", Type: form.Text, Quick: true},
			{Key: "quantity_kg", Type: form.Number, Unit: "kg", Max: 1e9, Required: true, Quick: true},
			{Key: "floor_price", Type: form.Number, Unit: "đ/kg", Max: 1e9, Private: true, Quick: true},
			{Key: "from", Type: form.Date, Required: true, Quick: true},
			{Key: "to", Type: form.Date, Required: true, Quick: true},
			{Key: "signed", Type: form.Date},
			{Key: "households", Type: form.Ref, Of: string(Household), Repeat: true},
			{Key: "file", Type: form.Text, File: true, Repeat: true, Private: true, Quick: true}, // photos of its pages
			note,
		}
	case Target:
		return []form.Field{
			name,
			{Key: "target_of", Type: form.Choice, Options: []string{"area_ha", "value_ha", "tons_ha", "large_households"}, Required: true, Quick: true},
			{Key: "want", Type: form.Number, Max: 1e12, Required: true, Quick: true}, // ha, đ/ha, t/ha, households
			{Key: "branch", Type: form.Choice, Options: branches(), Quick: true},
			{Key: "species", Type: form.Text, Quick: true},
			{Key: "decision", Type: form.Text}, // that says so
			note,
		}
	case PlaceTable: // PlaceFields: a place is no record
	}
	return nil
}

// Units returns the units inputs are counted in.
func Units() []string { return []string{"kg", "g", "l", "ml", "piece", "bag", "t"} }

// idLen is how many characters a record's id has: 50 bits.
const idLen = 10

// NewID draws the id of a record from a source of random bytes.
func NewID(random io.Reader) (string, error) {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	var b [idLen]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("farm: new id: %w", err)
	}
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b[:]), nil
}

// SchemeName is how a scheme of certificates is written on labels.
func SchemeName(scheme string) string {
	switch scheme {
	case "vietgap":
		return "VietGAP"
	case "globalgap":
		return "GlobalG.A.P."
	case "gacp":
		return "GACP-WHO"
	case "ocop":
		return "OCOP"
	case "haccp":
		return "HACCP"
	case "organic":
		return "Hữu cơ"
	}
	return "—"
}
