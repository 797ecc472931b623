package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// problem is a problem document (RFC 9457). Its type is about:blank, so the
// title is the status's own text.
type problem struct {
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail,omitempty"`
	Errors []fieldProblem `json:"errors,omitempty"`
}

// fieldProblem is one thing that is wrong with a request.
type fieldProblem struct {
	// Field is the name of a path segment, a header, a query parameter or a
	// field of the body; "body" for the body as a whole.
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// problems collects what is wrong with one request.
type problems []fieldProblem

func (p *problems) add(field, format string, args ...any) {
	*p = append(*p, fieldProblem{Field: field, Detail: fmt.Sprintf(format, args...)})
}

// check notes what a check says, if it says anything.
func (p *problems) check(field string, err error) {
	if err != nil {
		*p = append(*p, fieldProblem{Field: field, Detail: err.Error()})
	}
}

func writeProblem(w http.ResponseWriter, status int, detail string, errs ...fieldProblem) {
	write(w, "application/problem+json", status, problem{
		Title: http.StatusText(status), Status: status, Detail: detail, Errors: errs,
	})
}

// writeInvalid answers a malformed request with everything that is wrong.
func writeInvalid(w http.ResponseWriter, p problems) {
	detail := "The request has a problem; nothing was written."
	if len(p) > 1 {
		detail = fmt.Sprintf("The request has %d problems; nothing was written.", len(p))
	}
	writeProblem(w, http.StatusBadRequest, detail, p...)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	write(w, "application/json", status, body)
}

func write(w http.ResponseWriter, contentType string, status int, body any) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false) // nothing here is shown as HTML, and "&" is common
	if err := encoder.Encode(body); err != nil {
		// Every body here is made of strings and whole numbers.
		contentType, status = "application/problem+json", http.StatusInternalServerError
		encoded.Reset()
		encoded.WriteString(`{"title":"Internal Server Error","status":500}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(encoded.Bytes()) // a client that has gone is no concern of ours
}
