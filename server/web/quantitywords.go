package web

import "aovuon/gateway/measure"

// QuantityWords returns what the quantities are called in a language, and the word for what no device signed.
func QuantityWords(lang string) (names map[measure.Quantity]string, unsigned string, err error) {
	w, err := loadWords(lang)
	if err != nil {
		return nil, "", err
	}
	names = map[measure.Quantity]string{}
	for _, q := range measure.Quantities() {
		names[q] = w.t("quantity." + string(q))
	}
	return names, w.t("unsigned"), nil
}
