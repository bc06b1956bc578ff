package web

// Patterns are the routes there are.
func (s *Server) Patterns() (out []string) {
	for _, rt := range s.table() {
		out = append(out, rt.pattern)
	}
	return out
}

// LocalPath is localPath.
func LocalPath(s string) string { return localPath(s) }
