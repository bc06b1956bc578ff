package kind

import "aovuon/gateway/measure"

// Circle names the field in which entries are computed with themselves, as "id field", or nothing. Every entry measures
// and needs temperature; needs are by id.
func Circle(needs map[string]string, ids ...string) string {
	c := &checker{}
	for _, id := range ids {
		t := []measure.Quantity{measure.WaterTemperature}
		c.entries = append(c.entries, entry{id: id, quantities: t, needs: []need{{field: "temperature", text: needs[id], accepts: t}}})
	}
	c.checkCircles()
	if len(c.errs) == 0 {
		return ""
	}
	return c.errs[0].Error()
}
