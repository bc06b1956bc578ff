package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxBody bounds a request and an answer.
const maxBody = 64 << 10

// Error is a refusal as it crosses the socket.
type Error struct {
	Code   string `json:"code"` // for programs
	Text   string `json:"text"` // for people
	Status int    `json:"-"`    // of HTTP; 0 means 400
}

// Error returns the text for people.
func (e *Error) Error() string { return e.Text }

// Refuse makes an Error of status 400 whose text is formatted.
func Refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Text: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// Handle makes an http.Handler of a function: its answer goes out as JSON, its error as a refusal. An error that is no
// *Error has code "failed" and status 500.
func Handle(f func(r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := f(r)
		status := http.StatusOK
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok {
				e = &Error{Code: "failed", Text: err.Error(), Status: http.StatusInternalServerError}
			}
			status = e.Status
			if status == 0 {
				status = http.StatusBadRequest
			}
			answer = map[string]*Error{"error": e}
		}
		send(w, status, answer)
	})
}

// NotFound answers every path that nothing is mounted at.
func NotFound() http.Handler {
	return Handle(func(r *http.Request) (any, error) {
		return nil, &Error{
			Code: "unknown", Status: http.StatusNotFound,
			Text: fmt.Sprintf("this gateway does not know %s %s: it may be older than the program that asks", r.Method, r.URL.Path),
		}
	})
}

func send(w http.ResponseWriter, status int, answer any) {
	raw, err := json.Marshal(answer)
	if err != nil {
		status = http.StatusInternalServerError
		raw = []byte(`{"error":{"code":"failed","text":"the answer cannot be written as JSON"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(append(raw, '\n')); err != nil {
		return // who asked has gone
	}
}

// Read takes the JSON object of a request's body into v. Its error is an *Error.
func Read(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return Refuse("malformed", "the request is not the JSON object expected here: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Refuse("malformed", "the request goes on after its JSON object")
	}
	return nil
}
