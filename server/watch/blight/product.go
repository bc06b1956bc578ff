package blight

import (
	"slices"
	"strings"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// NamesBlight reports whether what somebody wrote as pest is late blight of potato.
func NamesBlight(pest string) bool {
	p := " " + diary.Plain(pest) + " "
	for _, name := range []string{" moc suong ", " suong mai ", " late blight ", " phytophthora ", " p infestans "} {
		if strings.Contains(p, name) {
			return true
		}
	}
	return false
}

// actives are what protects potato from oomycetes, as the beginnings of words people write, without marks. What only stops other fungi is
// none: a spray of it must not be taken for protection.
func actives() []string {
	return []string{
		"mancozeb", "maneb", "metiram", "propineb", "zineb", "chlorothalonil", "clorothalonil", "captan", "folpet", "fluazinam",
		"dong", "copper", "cuprous", "bordeaux", "boocdo", "bordo", "booc do",
		"metalaxyl", "mefenoxam", "benalaxyl", "oxadixyl", "cymoxanil", "dimethomorph", "mandipropamid", "iprovalicarb", "benthiavalicarb", "valifenalate", "flumorph",
		"fosetyl", "phosphorous acid", "phosphonate", "phosphonic", "propamocarb", "fluopicolide", "cyazofamid", "amisulbrom", "ametoctradin", "zoxamide",
		"famoxadone", "fenamidone", "azoxystrobin", "pyraclostrobin", "oxathiapiprolin", "ethaboxam", "picarbutrazox",
	}
}

// Why a spray does not count as one against late blight. Their texts are blight.spray.WHY.
const (
	OtherPest    = "other_pest"    // nobody wrote what is in it, and it was sprayed against something else
	OtherActives = "other_actives" // nothing in it stops late blight
)

// Protects reports whether a spray of an input counts as one against late blight: by what is in it, or where the register does not say that, by
// what it was sprayed against. Where it does not, why says so.
func Protects(in farm.Record, pest string) (counts bool, why string) {
	list := in.Values.List("actives")
	if len(list) == 0 {
		if Fights(in.Name()) || NamesBlight(pest) {
			return true, ""
		}
		return false, OtherPest
	}
	if slices.ContainsFunc(list, Fights) {
		return true, ""
	}
	return false, OtherActives
}

// Fights reports whether a text names an active against late blight.
func Fights(text string) bool {
	words := " " + diary.Plain(text)
	for _, a := range actives() {
		if strings.Contains(words, " "+a) {
			return true
		}
	}
	return false
}
