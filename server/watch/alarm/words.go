package alarm

import (
	"aovuon/gateway/measure"
	"aovuon/server/farm"
)

const probeAspect = "probe" // what is wrong with the probes of a quantity, not with the water

// Words lists the keys of the locales that alarms need, beside rule.ID, quantities and faults.
func Words() []string {
	var out []string
	for _, key := range Refusals() {
		out = append(out, "alarm.refused."+key)
	}
	for _, id := range []string{LimitsID, GatewaysID, KitID, ownID} {
		out = append(out, "rule."+id)
	}
	for _, id := range []string{HistoryID, FollowID, GatewaysID, KitID, LimitsID, RulesID, "store"} {
		out = append(out, "topic.watch_"+id)
	}
	out = append(out, "topic."+GatewayTopic, "topic."+string(measure.AlarmState), "topic."+AeratorTopic)
	for _, aspect := range []farm.What{farm.OfKit, farm.OfSwing, farm.OfRate, probeAspect} {
		out = append(out, "topic."+string(aspect)+".of")
	}
	for _, key := range []string{
		"above", "below", "blind", "faulty", "gateway_silent", "gateway_speaks", "lasting", "not_watched", "sees_again", "silent", "unheard", "within",
		"trend_unknown", "swing_within", "swing_beyond", "rate_within", "rate_beyond", "edge_unknown", "edge_calm", "edge_alarm", "aerator_stalled", "aerator_runs", "aerator_relay", "probe_silent", "flat", "oversaturated", "disagree", "probe_fine",
		"kit_outdated", "kit_within", "kit_below", "kit_above",
	} {
		out = append(out, "why."+key)
	}
	for _, key := range []string{
		"add_water", "aerate", "aerate_otherwise", "aerator_by_hand", "aerator_power", "aerator_switch", "call_technician", "change_water", "check_gateway", "check_probe", "feed_less", "look_at_place", "look_yourself",
		"measure_by_hand", "raise_level", "stop_feeding", "test_again", "clean_probe", "compare_probes",
	} {
		out = append(out, "do."+key)
	}
	return out
}
