package advice

// Words returns the keys of the locales that the decisions ask for.
func Words() (out []string) {
	for _, t := range Topics() {
		out = append(out, "rule."+t, "topic."+t)
	}
	for _, k := range []string{
		"feed_unknown", "feed_low", "feed_fine", "feed_cold", "feed_warm",
		"tan_blind", "tan_then", "tan_peak", "tan_basis", "tan_over",
		"snap_short", "snap_none", "snap_mean", "snap_drop", "snap_chill", "snap_hot",
		"care_fine", "care_unfit", "care_overdue", "care_due", "care_drift",
	} {
		out = append(out, "why."+k)
	}
	for _, k := range []string{
		"feed_measure", "feed_stop", "feed_wait", "feed_watch", "tan_measure", "tan_again", "tan_now", "tan_less", "tan_nolime",
		"snap_cold", "snap_rest", "snap_warm", "snap_dawnfeed", "care_replace", "care_calibrate", "care_clean",
	} {
		out = append(out, "do."+k)
	}
	return out
}
