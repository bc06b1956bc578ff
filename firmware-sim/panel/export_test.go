package panel

// LineOf is the line that a filled-in usage means; ok is false for what has no form.
func LineOf(help string, of func(word string) string) (line string, ok bool, err error) {
	u, ok := parseUsage(help)
	if !ok {
		return "", false, nil
	}
	line, err = u.line(of)
	return line, true, err
}
