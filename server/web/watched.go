package web

import (
	"context"
	"net/http"
	"time"
)

// Watched is told of requests. A route is the line of the table, never the path that was asked for: no code, name or number of anybody is in it.
type Watched interface {
	// Begin is told of a request; the context it returns is the request's from there on, and the function is called when it is answered.
	Begin(ctx context.Context, route, method string) (context.Context, func(status int, took time.Duration))
}

// Watch tells by of what a route answers; nil: nobody is told.
func Watch(by Watched, now func() time.Time, route string, next http.HandlerFunc) http.HandlerFunc {
	if by == nil {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		begin := now()
		ctx, end := by.Begin(r.Context(), route, r.Method)
		seen := &answered{ResponseWriter: w, status: http.StatusOK}
		defer func() { // a handler that panics is answered by nobody, and is told of all the same
			if p := recover(); p != nil {
				end(http.StatusInternalServerError, now().Sub(begin))
				panic(p)
			}
			end(seen.status, now().Sub(begin))
		}()
		next(seen, r.WithContext(ctx))
	}
}

// answered remembers what was answered.
type answered struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader implements http.ResponseWriter.
func (a *answered) WriteHeader(status int) {
	if !a.wrote && status >= 200 {
		a.status, a.wrote = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answered) Write(b []byte) (int, error) {
	a.wrote = true
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController: flushing and deadlines go on to who can.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
