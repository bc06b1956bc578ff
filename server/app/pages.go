package app

import (
	"net/http"
)

// pages returns what people see.
func pages(d deps) (http.Handler, error) {
	return http.NotFoundHandler(), nil
}
